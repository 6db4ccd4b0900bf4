const { fork } = require('node:child_process');
if (process.argv[2] === 'child') { console.log(process.execArgv.filter((flag) => !flag.includes('preload')).join(), v8()); process.disconnect(); }
else fork(__filename, ['child'], { execArgv: ['--max-old-space-size=64'] }).on('exit', (code) => console.log('ended', code));
function v8() { return require('node:v8').getHeapStatistics().heap_size_limit < 256 * 1024 * 1024; }
