const make = (k) => {
  return function spin(n) {
    let s = 0;
    for (let i = 0; i < n; i++) s += (i * k) % 13;
    return s;
  };
};
const spins = [1, 2, 3, 4].map(make);
function all() {
  let s = 0;
  for (const spin of spins) s += spin(200_000);
  return s;
}
setInterval(all, 15);
