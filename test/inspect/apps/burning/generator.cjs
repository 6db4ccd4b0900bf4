function* numbers(n) {
  for (let i = 0; i < n; i++) yield heavy(i);
}
function heavy(i) {
  let s = i;
  for (let k = 0; k < 60; k++) s = (s * 1103515245 + 12345) % 2147483648;
  return s;
}
function collect() {
  let s = 0;
  for (const v of numbers(20_000)) s += v;
  return s;
}
setInterval(collect, 25);
