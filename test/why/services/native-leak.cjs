// Compressors are opened and never closed: their state lies outside the heap.
const http = require('node:http');
const zlib = require('node:zlib');
const open = [];
function openCompressor() {
  const stream = zlib.createDeflate({ level: 9, memLevel: 9 });
  stream.write('begin');
  open.push(stream);
  return open.length;
}
const server = http
  .createServer((request, response) => response.end(String(openCompressor())))
  .listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
