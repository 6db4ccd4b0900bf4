// Clients hang up, and their connections are never closed on this side.
const http = require('node:http');
const net = require('node:net');
const kept = [];
const feed = net.createServer({ allowHalfOpen: true }, (socket) => {
  socket.on('error', () => {});
  socket.resume();
  kept.push(socket);
});
feed.listen(0, '127.0.0.1', () => {
  const server = http
    .createServer((request, response) => {
      const client = net.connect(feed.address().port, '127.0.0.1', () => client.end());
      client.on('error', () => {});
      response.end('ok');
    })
    .listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
});
