Date.now = () => 0;
performance.now = () => 0;
globalThis.setTimeout = () => { throw new Error('no timers'); };
setImmediate(() => console.log('turned'));
