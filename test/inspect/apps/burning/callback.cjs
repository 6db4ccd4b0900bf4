const items = Array.from({ length: 4000 }, (_, i) => ({ price: i % 97, count: i % 7 }));
const worth = (item) => {
  let s = 0;
  for (let k = 0; k < 40; k++) s += Math.sqrt(item.price * k + item.count);
  return s;
};
const rare = (item) => item.count > 2;
function sum() {
  return items
    .filter(rare)
    .map(worth)
    .reduce((a, b) => a + b, 0);
}
setInterval(() => {
  for (let i = 0; i < 20; i++) sum();
}, 30);
