const lib = require('./parts/lib.cjs');
function order(n) {
  let t = 0;
  for (let i = 0; i < n; i++) t += lib.price(i) - lib.discount(i);
  return t;
}
setInterval(() => order(40_000), 25);
