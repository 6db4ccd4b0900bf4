const cluster = require('node:cluster');
if (cluster.isPrimary) {
  const worker = cluster.fork();
  worker.on('message', (message) => { console.log(message); worker.disconnect(); });
  cluster.on('exit', (_, code, signal) => console.log('ended', code, signal));
} else process.send('hello ' + cluster.worker.id);
