// Password hashing fills libuv's pool, and file reads queue behind it.
const http = require('node:http');
const crypto = require('node:crypto');
const fs = require('node:fs');
function hashToken(done) {
  crypto.pbkdf2('token', 'salt', 900_000, 64, 'sha512', done);
}
const server = http
  .createServer((request, response) => {
    if (request.url === '/hash') hashToken(() => response.end('hashed'));
    else fs.readFile(__filename, (error, data) => response.end(data));
  })
  .listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
