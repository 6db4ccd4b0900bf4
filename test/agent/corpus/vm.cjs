const vm = require('node:vm');
console.log(vm.runInNewContext('Object.getOwnPropertyNames(globalThis).filter((name) => /nodeops/.test(name)).length + x', { x: 1 }));
