// Healthy: a server at some 70 % of a core, in callbacks of a few milliseconds.
const http = require('node:http');
const { createHash } = require('node:crypto');
const cache = new Map();
function page(id) {
  let text = '';
  const until = performance.now() + 3.5;
  for (let n = 0; performance.now() < until; n++) text = createHash('sha1').update(`${id} ${n} ${text}`).digest('hex');
  cache.set(id % 500, { id, text });
  return text;
}
let id = 0;
const server = http
  .createServer((request, response) => setTimeout(() => response.end(page(id++)), 2))
  .listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
