// Every request parses and writes the whole catalogue.
const http = require('node:http');
const catalogue = JSON.stringify(
  Array.from({ length: 300_000 }, (_, id) => ({ id, name: `item ${id}`, tags: ['a', 'b', 'c'], price: id / 7 })),
);
function repriced(factor) {
  const items = JSON.parse(catalogue);
  for (const item of items) item.price *= factor;
  return JSON.stringify(items);
}
const server = http
  .createServer((request, response) => response.end(String(repriced(1.1).length)))
  .listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
