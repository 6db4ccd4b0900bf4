// Healthy: a batch job that works through its data and serves nobody.
const { gzipSync } = require('node:zlib');
console.log('working');
const totals = new Map();
function transform(chunk) {
  let sum = 0;
  for (let n = 0; n < 200_000; n++) sum += Math.sqrt(n * chunk);
  const rows = Array.from({ length: 2000 }, (_, n) => ({ n, value: sum / (n + 1) }));
  totals.set(chunk % 100, gzipSync(JSON.stringify(rows)).length);
}
async function main() {
  for (let chunk = 0; ; chunk++) {
    transform(chunk);
    if (chunk % 10 === 0) await new Promise((done) => setImmediate(done));
  }
}
main();
