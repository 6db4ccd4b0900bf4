// flags: --disable-proto=throw
try { ({}).__proto__; } catch (error) { console.log(error.code); }
setTimeout(() => console.log('later'), 20);
