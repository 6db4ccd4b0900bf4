// flags: --jitless
console.log(typeof WebAssembly);
setTimeout(() => console.log('later'), 20);
