// A server with requests in every state, and requests of its own to another server, one that never answers. Says `up` when all are
// under way and `count N` with what it has answered.
const http = require('node:http');
const http2 = require('node:http2');
const fs = require('node:fs');

const silent = http.createServer((request, response) => {
  if (request.url.startsWith('/partial')) response.write('x');
});
const app = http.createServer((request, response) => {
  if (request.url.startsWith('/quick')) return void setTimeout(() => response.end('ok'), 20);
  if (request.url.startsWith('/broken')) return void response.writeHead(500).end();
  if (request.url.startsWith('/stream')) response.write('x');
});
const h2 = http2.createServer((_request, _response) => {});
const listen = (server) =>
  new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port)));

(async () => {
  const [other, own, two] = await Promise.all([silent, app, h2].map(listen));
  const call = (port, path, options = {}) =>
    http.request({ port, host: '127.0.0.1', path, ...options }).on('error', () => {});
  // to the app itself, over sockets of a child: this process would count both ends
  const caller = `
    const http = require('node:http');
    const call = (path, method = 'GET') => http.request({ port: ${own}, host: '127.0.0.1', path, method, agent: false }).on('error', () => {});
    for (let i = 0; i < 3; i++) call('/orders/' + (41 + i) + '?token=secret').end();
    call('/stream').on('response', (r) => r.resume()).end();
    call('/upload', 'POST').write('x');
    const agent = new http.Agent({ keepAlive: true });
    const again = (path) => http.get({ port: ${own}, host: '127.0.0.1', path, agent }, (r) => r.resume().on('end', () => setTimeout(again, 30, path)));
    again('/quick');
    again('/broken/7');
    const c = require('node:http2').connect('http://127.0.0.1:${two}');
    c.on('error', () => {});
    c.request({ ':path': '/two?x=1' });
  `;
  require('node:child_process').spawn(process.execPath, ['-e', caller], { stdio: 'ignore', env: {} });
  const agent = new http.Agent({ maxSockets: 1 });
  call(other, '/first', { agent }).end();
  call(other, '/second', { agent }).end();
  call(other, '/partial').end();
  fetch(`http://127.0.0.1:${other}/fetched?x=1`, { method: 'POST', body: 'x' }).catch(() => {});
  setTimeout(() => fs.writeSync(1, 'up\n'), 1_500);
  process.stdin.once('data', () => {
    fs.writeSync(3, 'going');
    for (;;);
  });
})();
