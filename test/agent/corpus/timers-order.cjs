const seen = [];
setTimeout(() => seen.push('timeout'), 0);
setImmediate(() => seen.push('immediate'));
process.nextTick(() => seen.push('tick'));
Promise.resolve().then(() => seen.push('micro'));
setTimeout(() => console.log(seen.sort().join()), 30);
