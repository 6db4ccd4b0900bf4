process.on('uncaughtExceptionMonitor', (error) => console.log('monitor', error.message));
setTimeout(() => { throw new Error('seen'); }, 1);
