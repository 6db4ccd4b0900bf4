const cache = new Map();
function lookup(k) {
  let v = cache.get(k);
  if (v === undefined) {
    v = compute(k);
    cache.set(k, v);
  }
  return v;
}
function compute(k) {
  let s = k;
  for (let i = 0; i < 200; i++) s = (s * 48271) % 2147483647;
  return s;
}
function evict() {
  if (cache.size > 20_000) cache.clear();
}
let n = 0;
setInterval(() => {
  let s = 0;
  for (let i = 0; i < 60_000; i++) {
    s += lookup(n++ % 100_000);
    evict();
  }
  return s;
}, 30);
