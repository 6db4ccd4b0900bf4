// A migration run with execSync never comes back.
const http = require('node:http');
const { execSync } = require('node:child_process');
function runMigrations() {
  execSync('sleep 600');
}
const server = http
  .createServer((request, response) => {
    if (request.url === '/migrate') runMigrations();
    response.end('ok');
  })
  .listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
