// A worker polls a flag without a pause.
const http = require('node:http');
const { Worker, isMainThread, workerData } = require('node:worker_threads');
if (isMainThread) {
  const flag = new SharedArrayBuffer(4);
  new Worker(__filename, { workerData: flag, name: 'importer' });
  const server = http
    .createServer((request, response) => response.end('ok'))
    .listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
} else {
  const state = new Int32Array(workerData);
  (function pollQueue() {
    let turns = 0;
    while (state[0] === 0) turns++;
    return turns;
  })();
}
