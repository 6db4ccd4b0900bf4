const { EventEmitter } = require('node:events');
EventEmitter.defaultMaxListeners = 2;
for (const event of ['exit', 'warning', 'beforeExit', 'SIGUSR2']) for (let i = 0; i < 1; i++) process.on(event, () => {});
console.log(process.listenerCount('SIGTERM'), process.listenerCount('uncaughtException'), process.listenerCount('unhandledRejection'));
