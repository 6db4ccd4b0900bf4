// Holds memory of several kinds, each of a size it says: `heap` grows until V8 ends it and tells of its size as it grows;
// `parts` holds 60 MB of array buffers, 40 MB on the heap and 30 MB on the heap of a worker.
const fs = require('node:fs');
const v8 = require('node:v8');
const { Worker } = require('node:worker_threads');

const grow = (count) => Array.from({ length: count }, (_, n) => ({ n, text: `entry ${n}` }));
if (process.argv[2] === 'heap') {
  const kept = [];
  for (;;) {
    for (let i = 0; i < 20; i++) kept.push(new Array(4_096).fill(i + 0.5));
    const { used_heap_size: used, heap_size_limit: reserved } = v8.getHeapStatistics();
    fs.writeSync(1, `${used} ${reserved}\n`);
  }
} else {
  globalThis.buffers = Array.from({ length: 20 }, () => Buffer.alloc(3 * 2 ** 20, 1));
  globalThis.small = Array.from({ length: 1_000 }, () => Buffer.allocUnsafeSlow(9_000).fill(1));
  globalThis.objects = grow(500_000);
  const worker = `globalThis.kept = Array.from({ length: 400_000 }, (_, n) => ({ n, text: 'entry ' + n }));
    require('node:worker_threads').parentPort.postMessage(1);
    setInterval(() => {}, 1000);`;
  new Worker(worker, { eval: true, name: 'cache' }).once('message', () => fs.writeSync(1, 'up\n'));
  process.stdin.once('data', () => {
    globalThis.buffers = undefined;
    fs.writeSync(3, 'going');
  });
}
