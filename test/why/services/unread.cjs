// A health probe looks at the status of an upstream and leaves the answer's body where it is.
const http = require('node:http');
const upstream = http.createServer((_request, response) => {
  response.write('x'.repeat(200_000));
  setTimeout(() => response.end('y'.repeat(400_000)), 10);
});
upstream.listen(0, '127.0.0.1', () => {
  const kept = [];
  async function probe() {
    const answer = await fetch(`http://127.0.0.1:${upstream.address().port}/status`);
    kept.push(answer);
    return answer.status;
  }
  const server = http
    .createServer(async (_request, response) => response.end(String(await probe())))
    .listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
});
