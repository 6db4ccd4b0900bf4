const rows = Array.from({ length: 3000 }, (_, i) => ({ id: i, name: `n${i}`, tags: ['a', 'b'] }));
function encode() {
  return JSON.stringify(rows);
}
function decode(text) {
  return JSON.parse(text);
}
function tally(list) {
  let s = 0;
  for (let k = 0; k < 200; k++) for (const row of list) s += row.id + row.tags.length;
  return s;
}
setInterval(() => {
  tally(decode(encode()));
}, 25);
