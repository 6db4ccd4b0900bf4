console.log(Object.getOwnPropertyNames(globalThis).sort().join());
console.log(Object.keys(globalThis).join(), Reflect.ownKeys(process).filter((key) => typeof key === 'string').sort().join());
