// A housekeeping timer rebuilds an index every few seconds.
const http = require('node:http');
let index = new Map();
function rebuildIndex() {
  const next = new Map();
  const until = Date.now() + 650;
  for (let n = 0; Date.now() < until; n++) next.set(n % 5000, Math.sqrt(n));
  index = next;
}
setInterval(rebuildIndex, 3_000);
const server = http
  .createServer((request, response) => response.end(String(index.size)))
  .listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
