const { createHash, pbkdf2Sync } = require('node:crypto');
const data = Buffer.alloc(1 << 18, 7);
function digest() {
  return createHash('sha256').update(data).digest('hex');
}
function derive() {
  return pbkdf2Sync('secret', 'salt', 3000, 32, 'sha256');
}
function compare(a, b) {
  let d = 0;
  for (let k = 0; k < 30000; k++) for (let i = 0; i < a.length; i++) d |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return d;
}
setInterval(() => {
  const a = digest();
  derive();
  compare(a, digest());
}, 25);
