// Lookups that miss are told by exceptions, thousands a second.
const http = require('node:http');
class NotFound extends Error {}
const known = new Map([[1, 'one']]);
function lookup(id) {
  if (!known.has(id)) throw new NotFound(`no record ${id}`);
  return known.get(id);
}
function tryLookup(id) {
  try {
    return lookup(id);
  } catch (error) {
    return error.stack.length;
  }
}
const server = http
  .createServer((request, response) => {
    let sum = 0;
    for (let n = 2; n < 25000; n++) sum += tryLookup(n);
    response.end(String(sum));
  })
  .listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
