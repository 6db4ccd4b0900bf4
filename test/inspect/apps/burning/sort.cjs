const values = Array.from({ length: 30_000 }, (_, i) => ({ key: (i * 7919) % 30_011, at: i }));
function byKey(a, b) {
  return cost(a) - cost(b);
}
function cost(v) {
  let s = v.key;
  for (let i = 0; i < 4; i++) s = (s * 31 + v.at) % 65_521;
  return s;
}
setInterval(() => values.slice().sort(byKey), 60);
