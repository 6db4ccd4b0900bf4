// Helpers are started for each request and never end.
const http = require('node:http');
const { spawn } = require('node:child_process');
function startHelper() {
  spawn('sleep', ['300'], { stdio: 'ignore' });
}
const server = http
  .createServer((request, response) => {
    startHelper();
    response.end('ok');
  })
  .listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
