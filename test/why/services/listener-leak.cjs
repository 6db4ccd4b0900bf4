// Every request listens to a bus that lives for ever.
const http = require('node:http');
const { EventEmitter } = require('node:events');
const bus = new EventEmitter();
bus.setMaxListeners(0);
function subscribe(response) {
  const seen = new Array(400).fill(0);
  bus.on('price', (price) => seen.push(price));
  response.end('ok');
}
const server = http
  .createServer((request, response) => subscribe(response))
  .listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
