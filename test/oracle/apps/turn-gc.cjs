// One turn of two seconds and a half that allocates all the while, and then nothing: what V8 printed of it (--trace-gc) is flushed at the exit.
const kept = [];
function allocateAll() {
  for (const end = performance.now() + 2_500; performance.now() < end; ) {
    for (let i = 0; i < 2_000; i++) kept[i % 500] = { i, text: `value ${i}`, list: new Array(64).fill(i) };
  }
  console.log('done');
}
console.log('up');
setTimeout(allocateAll, 500);
process.on('SIGUSR2', () => process.exit());
setInterval(() => {}, 60_000);
