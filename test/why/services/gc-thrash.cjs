// The heap is nearly full of what is kept, and every request makes garbage that lives for a while. Run with a small old space.
const http = require('node:http');
const kept = [];
for (let n = 0; n < 640_000; n++) kept.push({ n, text: `entry ${n}`, more: { n } });
const old = [];
const lookup = (n) => kept[n % kept.length].n;
function buildPage() {
  for (let n = 0; n < 4000; n++) old.push({ n, parts: [n, n + 1, { deep: n }] });
  if (old.length > 60_000) old.splice(0, 30_000);
  return old.length + lookup(old.length);
}
const server = http
  .createServer((request, response) => response.end(String(buildPage())))
  .listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
