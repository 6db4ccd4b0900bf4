// An upstream takes requests and never answers; there is no timeout.
const http = require('node:http');
const upstream = http.createServer(() => {});
upstream.listen(0, '127.0.0.1', () => {
  function loadProfile(response) {
    http
      .get({ port: upstream.address().port, path: '/profiles/7' }, (reply) => reply.pipe(response))
      .on('error', () => response.end());
  }
  const server = http
    .createServer((request, response) => loadProfile(response))
    .listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
});
