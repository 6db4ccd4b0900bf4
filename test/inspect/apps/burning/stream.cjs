const { Transform, Readable, Writable, pipeline } = require('node:stream');
function rot(chunk) {
  for (let i = 0; i < chunk.length; i++) chunk[i] = (chunk[i] + 13) & 255;
  return chunk;
}
function sum(chunk) {
  let s = 0;
  for (let k = 0; k < 3; k++) for (let i = 0; i < chunk.length; i++) s = (s + chunk[i]) | 0;
  return s;
}
function run() {
  let left = 60;
  pipeline(
    new Readable({
      read() {
        this.push(left-- > 0 ? Buffer.alloc(65_536, 1) : null);
      },
    }),
    new Transform({
      transform(c, _, f) {
        f(null, rot(c));
      },
    }),
    new Writable({
      write(c, _, f) {
        sum(c);
        f();
      },
    }),
    () => setTimeout(run, 10),
  );
}
run();
