// An agent with two sockets asks a slow backend.
const http = require('node:http');
const backend = http.createServer((request, response) => setTimeout(() => response.end('slow'), 1500));
const agent = new http.Agent({ keepAlive: true, maxSockets: 2 });
function fetchPrices(done) {
  http.get({ port: backend.address().port, path: '/prices?key=1', agent }, (reply) => reply.resume().on('end', done));
}
backend.listen(0, '127.0.0.1', () => {
  const server = http
    .createServer((request, response) => fetchPrices(() => response.end('ok')))
    .listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
});
