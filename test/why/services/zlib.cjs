// Reports are compressed with gzipSync in the request.
const http = require('node:http');
const { gzipSync, constants } = require('node:zlib');
const rows = Array.from({ length: 120_000 }, (_, id) => `${id};${(id * 2654435761) % 4294967296};row ${id}`).join('\n');
const exportReport = () => gzipSync(rows, { level: constants.Z_BEST_COMPRESSION });
const server = http
  .createServer((request, response) => response.end(exportReport()))
  .listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
