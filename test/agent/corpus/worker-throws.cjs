const { Worker } = require('node:worker_threads');
new Worker('throw new Error("inside")', { eval: true }).on('error', (error) => console.log('error', error.message)).on('exit', (code) => console.log('ended', code));
