const alive = setTimeout(() => {}, 20_000);
process.on('SIGUSR1', () => {
  console.log('mine');
  clearTimeout(alive);
});
setTimeout(() => process.kill(process.pid, 'SIGUSR1'), 20);
