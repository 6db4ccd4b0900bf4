delete Array.prototype[Symbol.iterator];
delete Map.prototype[Symbol.iterator];
setTimeout(() => require('node:fs').writeSync(1, 'later\n'), 30);
