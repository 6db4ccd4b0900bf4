// Files are opened and not closed. Run with a limit of 256 descriptors.
const http = require('node:http');
const fs = require('node:fs');
function readConfig(done) {
  fs.open(__filename, 'r', (error, fd) => done(error ? error.code : `fd ${fd}`));
}
const server = http
  .createServer((request, response) => readConfig((text) => response.end(text)))
  .listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
