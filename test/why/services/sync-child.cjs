// Thumbnails are made by a program that is waited for.
const http = require('node:http');
const { execFileSync } = require('node:child_process');
function convertImage(name) {
  return execFileSync('sh', ['-c', `sleep 0.7; echo ${name}`], { encoding: 'utf8' });
}
const server = http
  .createServer((request, response) => response.end(convertImage('cat')))
  .listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
