// Throws and catches ten times a second at one place and rejects and throws, handled, at two others; says `up` after the first of each.
const fs = require('node:fs');
process.on('uncaughtException', () => {});
function parse() {
  throw new TypeError(`cannot parse ${Math.random()}`);
}
function attempt() {
  try {
    parse();
  } catch {}
}
async function reject() {
  throw new Error('no answer from postgres://app:hunter2@db/orders');
}
function fail() {
  throw new RangeError('out of range');
}
setInterval(attempt, 50);
setTimeout(reject, 10);
setTimeout(reject, 20);
setTimeout(fail, 30);
setTimeout(() => fs.writeSync(1, 'up\n'), 300);
