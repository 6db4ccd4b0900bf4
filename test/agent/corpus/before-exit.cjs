let turns = 0;
process.on('beforeExit', () => { if (turns++ < 3) setTimeout(() => console.log('again', turns), 1); });
