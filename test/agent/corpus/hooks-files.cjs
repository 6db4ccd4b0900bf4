const { writeSync } = require('node:fs');
const seen = [];
const hook = require('node:async_hooks').createHook({ init: (_id, type) => seen.push(type) }).enable();
process.on('exit', () => { hook.disable(); writeSync(1, seen.join() + '\n'); });
require('node:fs').readFile(__filename, () => require('node:fs').stat(__filename, () => {}));
