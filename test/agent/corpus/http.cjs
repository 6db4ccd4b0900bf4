const http = require('node:http');
const server = http.createServer((request, reply) => reply.end(request.url)).listen(0, '127.0.0.1', () => {
  http.get({ port: server.address().port, path: '/asked', agent: false }, (reply) => reply.on('data', (data) => console.log(String(data))).on('end', () => server.close()));
});
