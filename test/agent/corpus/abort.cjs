setTimeout(() => process.kill(process.pid, 'SIGABRT'), 20);
setTimeout(() => {}, 5_000);
