// Goes on in and out of native code, with functions made anew each time, so that the collector moves what is on the stack. The legal
// stacks are the prefixes, from outside, of the three ways from `root` to `work`: see churn.test.ts.
const rows = Array.from({ length: 400 }, (_, i) => ({ id: i, name: `row ${i}`, tags: [i, i + 1, { deep: `${i}` }] }));
const text = JSON.stringify(rows);
const kept = [];

function work(x) {
  const kind = x % 3;
  const result = kind === 0 ? JSON.parse(text) : kind === 1 ? JSON.stringify(rows) : structuredClone(rows);
  kept[x % 97] = result;
  return x;
}
function makeLeaf(base) {
  return function leaf(x) {
    return work(x + base);
  };
}
function gamma(n, leaf) {
  return leaf(n) + 1;
}
function beta(n, leaf) {
  return gamma(n, function wrapped(x) {
    return leaf(x) + 1;
  });
}
function alpha(n, leaf) {
  return beta(n, (x) => leaf(x) + 1);
}
function root() {
  for (let n = 0; ; n++) {
    const leaf = makeLeaf(n);
    if (n % 3 === 0) gamma(n, leaf);
    else if (n % 3 === 1) beta(n, leaf);
    else alpha(n, leaf);
  }
}
setTimeout(root, 10);
