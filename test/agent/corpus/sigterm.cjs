process.on('SIGTERM', () => { console.log('handled'); process.exit(9); });
setTimeout(() => process.kill(process.pid, 'SIGTERM'), 30);
setTimeout(() => {}, 5_000);
