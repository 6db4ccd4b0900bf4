function work(i) {
  let s = i;
  for (let k = 0; k < 3000; k++) s = Math.sqrt(s + k);
  return s;
}
async function inner(i) {
  return work(i);
}
async function outer(n) {
  let s = 0;
  for (let i = 0; i < n; i++) s += await inner(i);
  return s;
}
setInterval(() => outer(2000), 30);
