// Blocks its loop for argv[2] milliseconds in every argv[3], by a timer of its own.
const fs = require('node:fs');
const [, , blockMs, everyMs] = process.argv.map(Number);
setInterval(() => {
  const end = performance.now() + blockMs;
  while (performance.now() < end);
}, everyMs);
fs.writeSync(1, 'up\n');
