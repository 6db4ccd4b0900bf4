// A client connects for every request and never closes.
const http = require('node:http');
const net = require('node:net');
const backend = net.createServer(() => {}).listen(0, '127.0.0.1');
const connections = [];
function publish() {
  const socket = net.connect(backend.address().port, '127.0.0.1');
  socket.on('error', () => {});
  connections.push(socket);
}
const server = http
  .createServer((request, response) => {
    publish();
    response.end('ok');
  })
  .listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
