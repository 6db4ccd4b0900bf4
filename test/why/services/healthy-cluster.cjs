// Healthy: a cluster of three; the one that is looked at hands connections on.
const cluster = require('node:cluster');
const http = require('node:http');
if (cluster.isPrimary) {
  for (let n = 0; n < 3; n++) cluster.fork({ NODE_OPTIONS: '' });
  cluster.on('message', (worker, port) => console.log(`listening ${port}`));
} else {
  const server = http
    .createServer((request, response) => response.end(JSON.stringify({ at: Date.now(), list: [1, 2, 3] })))
    .listen(0, '127.0.0.1', () => process.send(server.address().port));
}
