// Fills libuv's pool of four with three computations and one open of a fifo (argv[3]) that nobody writes to, has two more of those
// wait, a worker that spins, and a child process; or, as `idle`, has used the pool once. Says `up` when all of it is under way.
const { spawn } = require('node:child_process');
const { pbkdf2 } = require('node:crypto');
const fs = require('node:fs');
const { Worker } = require('node:worker_threads');

const up = () => fs.writeSync(1, 'up\n');
if (process.argv[2] === 'idle') fs.stat('/', up);
else {
  for (let i = 0; i < 3; i++) pbkdf2('a', 'b', 1e9, 64, 'sha512', () => {});
  for (let i = 0; i < 3; i++) fs.open(process.argv[3], 'r', () => {});
  new Worker('for (;;);', { eval: true, name: 'spinner' }).on('online', up);
  spawn('sleep', ['600']);
}
setInterval(() => {}, 1000);
