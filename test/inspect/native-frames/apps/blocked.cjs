// blocked.cjs CHAIN KIND: calls through CHAIN into KIND, which keeps the thread in native code for long. Before that it writes, as one
// line of JSON, the stack that V8 itself tells for a call from the same place.
const { execSync, spawnSync } = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const v8 = require('node:v8');
const vm = require('node:vm');
const zlib = require('node:zlib');

const [chain, kind] = process.argv.slice(2);
const rows = () => Array.from({ length: 1_200_000 }, (_, i) => ({ id: i, name: `row ${i}`, tags: [i, i + 1] }));

/** What each kind calls: the function itself, so that nothing of this file is between it and `stuck`. */
const kinds = {
  execSync: () => [execSync, 'sleep 60'],
  spawnSync: () => [spawnSync, 'sleep', ['60']],
  pbkdf2Sync: () => [crypto.pbkdf2Sync, 'password', 'salt', 200_000_000, 64, 'sha512'],
  scryptSync: () => [crypto.scryptSync, 'password', 'salt', 64, { N: 2 ** 20, r: 8, p: 200, maxmem: 2 ** 32 }],
  'JSON.parse': () => [JSON.parse, `[${'{"id":1,"tags":[1,2,3],"name":"row"},'.repeat(6_000_000)}1]`],
  'JSON.stringify': () => [JSON.stringify, rows(), ['id', 'name', 'tags'], 2],
  fifo: () => {
    const path = `${process.env.SCRATCH}/fifo`;
    execSync(`mkfifo '${path}'`);
    return [fs.readFileSync, path];
  },
  gzipSync: () => [zlib.gzipSync, crypto.randomBytes(300 << 20), { level: 9 }],
  'Atomics.wait': () => [Atomics.wait, new Int32Array(new SharedArrayBuffer(4)), 0, 0],
  'v8.serialize': () => [v8.serialize, rows()],
  compile: () => [vm.compileFunction, `return [${'function(){return [1,2,{a:3}]},'.repeat(1_500_000)}]`],
  addon: () => {
    const { transform } = require('lightningcss');
    const code = Buffer.from(
      '.a .b > .c:hover { color: rgb(1 2 3 / 50%); margin: 1px 2px 1px 2px }\n'.repeat(1_500_000),
    );
    return [transform, { filename: 'a.css', code, minify: true }];
  },
};

let expected;
function probe() {
  Error.stackTraceLimit = 100;
  expected = new Error('here').stack;
}

function stuck(call, ...values) {
  return call(...values);
}

class Orders {
  #paid = 0;
  constructor(call, values) {
    this.total = this.price(call, values);
  }
  price(call, values) {
    const [first, second, third] = [1, 2, 3];
    const keep = () => first + second + third + this.#paid;
    return [call].map((each) => keep() + stuck(each, ...values));
  }
  get waiting() {
    return Orders.blocked(() => stuck(Orders.call, ...Orders.values));
  }
  static blocked(what) {
    return what();
  }
}

let taken = 0;
function small(call, values) {
  taken++;
  return stuck(call, ...values);
}
function middle(call, values) {
  const before = taken;
  const result = small(call, values);
  return result + before;
}
function large(call, values) {
  return middle(call, values);
}

const chains = {
  classes: (call, values) => new Orders(call, values),
  getter: (call, values) => {
    Object.assign(Orders, { call, values });
    return Object.create(Orders.prototype).waiting;
  },
  hot: (call, values) => large(call, values),
};

const [call, ...values] = kinds[kind]();
const runs = chains[chain];
// compiled, and its small functions inlined, before it is looked at
if (chain === 'hot') for (let i = 0; i < 300_000; i++) runs(Math.abs, [i]);
function go(target, given) {
  return runs(target, given);
}
setTimeout(function onTimer() {
  for (const [target, given] of [
    [probe, []],
    [call, values],
  ]) {
    if (target === call) fs.writeSync(1, `${JSON.stringify(expected)}\n`);
    go(target, given);
  }
}, 20);
