const http = require('node:http');
function render(n) {
  let s = '';
  for (let i = 0; i < n; i++) s += String.fromCharCode(97 + ((i * 7) % 26));
  return s;
}
function checksum(s) {
  let h = 5381;
  for (let i = 0; i < s.length; i++) h = ((h << 5) + h + s.charCodeAt(i)) | 0;
  return h;
}
function route(_req, res) {
  const body = render(60_000);
  let k = 0;
  for (let i = 0; i < 4; i++) k += checksum(body);
  res.end(String(k));
}
const server = http.createServer(route).listen(0, '127.0.0.1', () => {
  const again = () => http.get({ port: server.address().port }, (r) => r.resume().on('end', again));
  again();
  again();
});
