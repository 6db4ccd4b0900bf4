setTimeout(() => process.kill(process.pid, 'SIGTERM'), 30);
setTimeout(() => {}, 5_000);
