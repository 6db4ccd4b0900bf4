// Waiters for an event that does not come pile up, each with what it closes over.
const http = require('node:http');
const waiters = new Set();
function waitForReply(id) {
  const context = { id, buffer: new Array(300).fill(id) };
  return new Promise((resolve) => waiters.add(() => resolve(context)));
}
let id = 0;
const server = http
  .createServer((request, response) => {
    waitForReply(id++).then(() => {});
    response.end('queued');
  })
  .listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
