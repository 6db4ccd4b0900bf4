// Healthy: what a server-side renderer does: trees of elements made into text, one long minified function after another.
const http = require('node:http');
const r = (t, p, ...c) => ({ t, p, c });
const e = (s) => String(s).replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]);
function s(n) {
  if (typeof n !== 'object') return e(n);
  if (typeof n.t === 'function') return s(n.t(n.p));
  let o = '<' + n.t;
  for (const k in n.p) o += ` ${k}="${e(n.p[k])}"`;
  o += '>';
  for (const c of n.c) o += Array.isArray(c) ? c.map(s).join('') : s(c);
  return o + `</${n.t}>`;
}
const L = ({ items: i }) =>
  r(
    'ul',
    { class: 'list' },
    i.map((x) => r(I, x)),
  );
const I = ({ id: i, title: t }) =>
  r('li', { 'data-id': i }, r('a', { href: '/p/' + i }, t), r('span', { class: 'price' }, (i * 1.17).toFixed(2)));
const P = ({ n }) =>
  r(
    'html',
    { lang: 'en' },
    r(
      'body',
      {},
      r('h1', {}, 'Products'),
      r(L, { items: Array.from({ length: n }, (_, i) => ({ id: i, title: 'Product <' + i + '>' })) }),
    ),
  );
const server = http
  .createServer(async (q, a) => {
    await null;
    a.setHeader('content-type', 'text/html');
    a.end(s(r(P, { n: 700 })));
  })
  .listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
