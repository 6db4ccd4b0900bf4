// Service discovery asks a name server that swallows every question.
const http = require('node:http');
const { Resolver } = require('node:dns');
const silent = require('node:dgram').createSocket('udp4');
silent.bind(0, '127.0.0.1', () => {
  const resolver = new Resolver({ timeout: 4_000, tries: 3 });
  resolver.setServers([`127.0.0.1:${silent.address().port}`]);
  function discover(response) {
    resolver.resolve4('payments.internal', (error, addresses) => response.end(error?.code ?? addresses[0]));
  }
  const server = http
    .createServer((_request, response) => discover(response))
    .listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
});
