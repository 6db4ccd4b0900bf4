const { Worker, isMainThread, threadId, parentPort } = require('node:worker_threads');
if (isMainThread) {
  const worker = new Worker(__filename, { argv: ['x'] });
  worker.on('message', (message) => console.log(message));
  worker.on('exit', (code) => console.log('ended', code));
} else parentPort.postMessage([typeof threadId, process.argv.slice(2), process.execArgv]);
