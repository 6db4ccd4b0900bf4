function hot(n) {
  let x = 0;
  for (let i = 0; i < n; i++) x += Math.sqrt(i) % 7;
  return x;
}
setInterval(() => {
  hot(3_000_000);
}, 100);
