// Healthy: a bounded cache holds some 60 % of the memory; what is new replaces what is old.
const http = require('node:http');
const cache = new Map();
const entry = (id) => ({
  id,
  body: Buffer.alloc(8 * 1024, id),
  tags: Array.from({ length: 30 }, (_, n) => `tag ${n} ${id}`),
});
for (let id = 0; id < 6000; id++) cache.set(id, entry(id));
let next = 6000;
function remember() {
  const id = next++;
  cache.set(id, entry(id));
  cache.delete(id - 6000);
  return cache.size;
}
const server = http
  .createServer((request, response) => response.end(String(remember())))
  .listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
