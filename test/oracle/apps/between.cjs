// A main thread that works all the time in turns of its loop, and hardly ever in JavaScript of its own.
const { createHash, randomBytes } = require('node:crypto');
const { deflateSync } = require('node:zlib');
const { Worker } = require('node:worker_threads');

const block = randomBytes(200_000);
function tiny() {}
function hash() {
  createHash('sha256').update(block).digest('hex');
}
function deflate() {
  deflateSync(block);
}
function sleeper() {
  new Worker('(function sleepForever() { Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); })()', {
    eval: true,
    name: 'sleeper',
  });
}

const work = { tiny, hash, deflate }[process.argv[2]];
function turn() {
  work();
  setImmediate(turn);
}
console.log('up');
if (work) turn();
else sleeper();
