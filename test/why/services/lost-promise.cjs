// A lock is never released: requests wait for a promise that nothing will settle.
const http = require('node:http');
let held = false;
function acquire() {
  if (held) return new Promise(() => {});
  held = true;
  return Promise.resolve();
}
const server = http
  .createServer(async (request, response) => {
    if (request.url === '/health') return response.end('ok');
    await acquire();
    response.end('done');
  })
  .listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
