const wait = (ms) => new Promise((f) => setTimeout(f, ms));
function hash(text) {
  let h = 0;
  for (let i = 0; i < text.length; i++) h = (Math.imul(h, 31) + text.charCodeAt(i)) | 0;
  return h;
}
function parse(text) {
  let n = 0;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) === 44) n++;
  return n;
}
const text = 'abc,defg,'.repeat(20000);
async function handle() {
  await wait(1);
  hash(text);
  await wait(1);
  parse(text);
}
(async () => {
  for (;;) await Promise.all([handle(), handle(), handle()]);
})();
