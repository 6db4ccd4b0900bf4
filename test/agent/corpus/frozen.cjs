// flags: --frozen-intrinsics
console.log(Object.isFrozen(Array.prototype));
setTimeout(() => console.log('later'), 20);
