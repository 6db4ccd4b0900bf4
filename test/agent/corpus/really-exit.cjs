setTimeout(() => process.reallyExit(4), 50);
console.log('up');
