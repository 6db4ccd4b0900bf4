// Healthy: two thousand clients keep their connections, and ask now and then.
const http = require('node:http');
const { fork } = require('node:child_process');
if (process.argv[2] === 'clients') {
  const agent = new http.Agent({ keepAlive: true, maxSockets: Infinity });
  const port = Number(process.argv[3]);
  for (let n = 0; n < 2000; n++)
    setTimeout(() => {
      const ask = () =>
        http
          .get({ port, agent, path: '/' }, (reply) => reply.resume().on('end', () => setTimeout(ask, 15_000 + n)))
          .on('error', () => {});
      ask();
    }, n);
} else {
  const server = http.createServer((request, response) => response.end('ok'));
  server.keepAliveTimeout = 120_000;
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    fork(__filename, ['clients', String(port)], { execArgv: [], env: { PATH: process.env.PATH } });
    console.log(`listening ${port}`);
  });
}
