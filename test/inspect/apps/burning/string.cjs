function quoted(s) {
  let out = '';
  for (const c of s) out += c === '<' ? '&lt;' : c === '&' ? '&amp;' : c;
  return out;
}
function count(s, ch) {
  let n = 0;
  for (let i = 0; i < s.length; i++) if (s[i] === ch) n++;
  return n;
}
const page = '<p>fish & chips</p>'.repeat(500);
function render() {
  const e = quoted(page);
  let n = 0;
  for (let i = 0; i < 12; i++) n += count(e, ';');
  return n;
}
setInterval(() => {
  for (let i = 0; i < 10; i++) render();
}, 30);
