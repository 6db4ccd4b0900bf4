// Every request looks a host up that a name server is slow to answer for, on libuv's pool.
const http = require('node:http');
const dns = require('node:dns');
function resolveBackend(done) {
  dns.lookup(`backend-${Math.random().toString(36).slice(2)}.invalid`, done);
}
const server = http
  .createServer((request, response) => resolveBackend((error) => response.end(error ? error.code : 'ok')))
  .listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
