// flags: --throw-deprecation
setTimeout(() => console.log('no deprecation'), 30);
