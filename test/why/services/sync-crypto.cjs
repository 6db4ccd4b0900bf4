// Logins are checked with scryptSync on the main thread.
const http = require('node:http');
const { scryptSync, timingSafeEqual } = require('node:crypto');
const users = new Map([
  ['ada', { salt: 'pepper', hash: scryptSync('secret', 'pepper', 64, { N: 65536, maxmem: 256e6 }) }],
]);
function verifyPassword(user, password) {
  return timingSafeEqual(user.hash, scryptSync(password, user.salt, 64, { N: 65536, maxmem: 256e6 }));
}
function login(request, response) {
  response.end(String(verifyPassword(users.get('ada'), 'secret')));
}
const server = http.createServer(login).listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
