const { spawnSync } = require('node:child_process');
let ended = 0;
for (let i = 0; i < 20; i++) ended += spawnSync(process.execPath, ['-e', 'process.exit(1)']).status;
console.log(ended);
