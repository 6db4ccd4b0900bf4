// One process, several ways to be busy: starts the one named by argv[2] when a line comes in on stdin, and says so on
// descriptor 3. What blocks does so for longer than any test takes; the test ends it.
const { execSync } = require('node:child_process');
const { pbkdf2Sync } = require('node:crypto');
const fs = require('node:fs');
const net = require('node:net');
const { Worker } = require('node:worker_threads');

const durationMs = 90_000;

function spinOuter() {
  spinInner();
}
function spinInner() {
  const end = Date.now() + durationMs;
  while (Date.now() < end);
}
function backtrack() {
  /^(a+)+$/.test(`${'a'.repeat(40)}b`);
}
function parseHuge() {
  const text = `[${'{"a":[1,2,{}]},'.repeat(2e6)}1]`;
  for (;;) JSON.parse(text);
}
function waitForever() {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, durationMs);
}
function runChild() {
  execSync(`sleep ${durationMs / 1000}`);
}
function derive() {
  pbkdf2Sync('a', 'b', 200_000_000, 64, 'sha512');
}
function readFifo() {
  fs.readFileSync(process.argv[3]);
}
function recurse(depth) {
  if (depth > 0) recurse(depth - 1);
  else spinInner();
}
function queueThenSpin() {
  let early = true;
  let ranEarly = false;
  queueMicrotask(() => {
    ranEarly = early;
  });
  const end = Date.now() + 1_500;
  while (Date.now() < end);
  early = false;
  setTimeout(() => fs.writeSync(1, `microtask ran ${ranEarly ? 'early' : 'in order'}\n`), 10);
}
function hostile() {
  Error.prepareStackTrace = () => {
    throw new Error('from prepareStackTrace');
  };
  Error.stackTraceLimit = 0;
  Object.prototype.toJSON = () => 'from toJSON';
  console.log = () => process.exit(9);
  process.stdout.write = () => process.exit(9);
  Object.freeze(globalThis);
  spinOuter();
}
function count() {
  let n = 0;
  const end = Date.now() + durationMs;
  for (let last = Date.now(); last < end; ) {
    if (Date.now() - last < 100) continue;
    last = Date.now();
    fs.writeSync(1, `count ${++n}\n`);
  }
}
function idle() {
  setInterval(function tick() {}, 1234);
  setTimeout(() => {}, 987_654);
  setTimeout(() => {}, durationMs).unref();
  const server = net.createServer().listen(0, '127.0.0.1', () => fs.writeSync(1, `port ${server.address().port}\n`));
}
function halfBusy() {
  setInterval(function burn() {
    const end = Date.now() + 50;
    while (Date.now() < end);
  }, 50);
}
function workers() {
  const spin = 'function spinInWorker() { for (;;); }\nspinInWorker();';
  new Worker(spin, { eval: true, name: 'spinner' });
  new Worker('setInterval(() => {}, 1000)', { eval: true, name: 'waiter' }).unref();
  new Worker('require("node:child_process").execSync("sleep 90")', { eval: true });
}
function collect() {
  for (let i = 0; i < 200; i++) Buffer.from(JSON.stringify(Array.from({ length: 20_000 }, (_, n) => ({ n }))));
}
function memory() {
  globalThis.kept = Array.from({ length: 300_000 }, (_, n) => ({ n }));
  globalThis.buffer = new ArrayBuffer(7_000_000);
  const { heapUsed, heapTotal, arrayBuffers, rss } = process.memoryUsage();
  fs.writeSync(1, `memory ${JSON.stringify({ heapUsed, heapTotal, arrayBuffers, rss })}\n`);
}
function exit() {
  process.exit(7);
}

const modes = {
  spinOuter,
  backtrack,
  parseHuge,
  waitForever,
  runChild,
  derive,
  readFifo,
  count,
  queueThenSpin,
  hostile,
  idle,
  halfBusy,
  workers,
  collect,
  memory,
  exit,
  recurse: () => recurse(300),
};
process.stdin.once('data', () => {
  setTimeout(function start() {
    fs.writeSync(3, 'going');
    modes[process.argv[2]]();
  }, 1);
});
fs.writeSync(1, 'up\n');
