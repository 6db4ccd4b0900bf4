// A validator with nested quantifiers meets an input that nearly matches.
const http = require('node:http');
const namePattern = /^(\w+\s?)*$/;
function validateName(text) {
  return namePattern.test(text);
}
const server = http
  .createServer((request, response) => {
    const name = new URL(request.url, 'http://localhost').searchParams.get('name');
    response.end(String(validateName(name)));
  })
  .listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
