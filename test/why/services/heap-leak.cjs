// Sessions are never removed.
const http = require('node:http');
const sessions = new Map();
let next = 0;
function createSession(request) {
  const session = {
    id: next++,
    agent: request.headers['user-agent'],
    cart: Array.from({ length: 300 }, (_, n) => ({ n })),
  };
  sessions.set(session.id, session);
  return session;
}
const server = http
  .createServer((request, response) => response.end(String(createSession(request).id)))
  .listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
