// Recommendations compare every pair.
const http = require('node:http');
const products = Array.from({ length: 2600 }, (_, id) => ({ id, vector: [id % 7, id % 11, id % 13, id % 17] }));
function distance(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return Math.sqrt(sum);
}
function nearestPairs() {
  let best = Infinity;
  for (const a of products)
    for (const b of products) if (a.id < b.id) best = Math.min(best, distance(a.vector, b.vector) + a.id / 1e6);
  return best;
}
const server = http
  .createServer((request, response) => response.end(String(nearestPairs())))
  .listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
