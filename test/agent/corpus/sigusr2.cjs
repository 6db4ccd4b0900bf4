const alive = setTimeout(() => {}, 20_000);
process.once('SIGUSR2', () => {
  console.log('user');
  clearTimeout(alive);
});
setTimeout(() => process.kill(process.pid, 'SIGUSR2'), 20);
