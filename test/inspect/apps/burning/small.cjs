function mix(a, b) {
  let h = a;
  for (let i = 0; i < 30; i++) h = Math.imul(h ^ b, 0x85ebca6b) ^ (h >>> 13);
  return h;
}
function scale(v) {
  let s = v;
  for (let i = 0; i < 20; i++) s = Math.sqrt(s + i);
  return s;
}
function step(i) {
  return mix(i, 7) + scale(i);
}
function turn() {
  let s = 0;
  for (let i = 0; i < 60_000; i++) s += step(i);
  return s;
}
setInterval(turn, 20);
