/** Eight programs that leak, each in its function `leak`, beside four caches that do not. */

/** What the leaks use, and the caches beside them. */
export const sharedByLeaks = `
const { EventEmitter } = require('node:events');
const made = (i) => ({ id: i, text: 'payload ' + i, list: new Array(20).fill(i) });
let n = 0;
const ring = [], lru = new Map(), slots = new Array(500), set = new Set();
function cacheRing() { for (let i = 0; i < 40; i++) { ring.push(made(i)); if (ring.length > 2000) ring.shift(); } }
function cacheLru() { for (let i = 0; i < 40; i++) { lru.set('k' + n++, made(n)); if (lru.size > 2000) lru.delete(lru.keys().next().value); } }
function cacheSlots() { for (let i = 0; i < 40; i++) slots[(Math.random() * 500) | 0] = made(i); }
function cacheSet() { for (let i = 0; i < 40; i++) { set.add(made(n++)); if (set.size > 1500) set.delete(set.values().next().value); } }
function caches() { cacheRing(); cacheLru(); cacheSlots(); cacheSet(); }
`;

export interface Leak {
  readonly name: string;
  /** Defines `leak()` and `caches()`, which are called again and again. */
  readonly script: string;
  /** Of `script`, what is of this leak alone. */
  readonly body: string;
  /** What a diff of two snapshots says keeps it. */
  readonly path: RegExp;
}

const leak = (name: string, path: RegExp, body: string): Leak => ({
  name,
  path,
  body,
  script: `${sharedByLeaks}${body}`,
});

export const leaks: readonly Leak[] = [
  leak(
    'a Map',
    /global\.leakMap \(Map\)/,
    `
const leakMap = globalThis.leakMap = new Map();
function leak() { for (let i = 0; i < 40; i++) leakMap.set('k' + n++, made(n)); }`,
  ),
  leak(
    'listeners',
    /global\.bus \(EventEmitter\) → _events → tick/,
    `
const bus = globalThis.bus = new EventEmitter().setMaxListeners(0);
function leak() { for (let i = 0; i < 20; i++) { const big = new Array(40).fill(i); bus.on('tick', () => big.length); } }`,
  ),
  leak(
    'a chain of closures',
    /variable chain.*chain\(\)/,
    `
let chain = null;
globalThis.chain = () => chain;
function leak() { for (let i = 0; i < 20; i++) { const old = chain; const data = new Array(40).fill(i); chain = () => old ?? data; } }`,
  ),
  leak(
    'timers',
    /variable timerListMap → \[(?:3600000|…)\]/,
    `
function leak() { for (let i = 0; i < 10; i++) { const data = new Array(60).fill(i); setInterval(() => data.length, 3600e3).unref(); } }`,
  ),
  leak(
    'promises never settled',
    /global\.gates/,
    `
const gates = globalThis.gates = [];
function leak() { for (let i = 0; i < 20; i++) { const data = new Array(40).fill(i); new Promise((r) => { gates.push(r); }).then(() => data.length); } }`,
  ),
  leak(
    'an array',
    /global\.history \(Array\)/,
    `
const history = globalThis.history = [];
function leak() { for (let i = 0; i < 40; i++) history.push(made(i)); }`,
  ),
  leak(
    'the cache of modules',
    /_cache|require .*→ cache/,
    `
const Module = require('node:module');
function leak() { for (let i = 0; i < 3; i++) { const id = '/virtual/m' + n++ + '.js'; const m = new Module(id); m.filename = id; m.exports = { table: new Array(200).fill(n) }; require.cache[id] = m; } }`,
  ),
  leak(
    'views of large slabs',
    /global\.views/,
    `
const views = globalThis.views = [];
function leak() { views.push(Buffer.allocUnsafeSlow(64 * 1024).subarray(0, 16)); }`,
  ),
];
