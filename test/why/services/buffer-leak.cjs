// Uploads are kept as buffers.
const http = require('node:http');
const uploads = [];
function storeUpload(id) {
  const copy = Buffer.alloc(64 * 1024, id);
  uploads.push({ id, copy });
  return copy.length;
}
const server = http
  .createServer((request, response) => response.end(String(storeUpload(uploads.length))))
  .listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
