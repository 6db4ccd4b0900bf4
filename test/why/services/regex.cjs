// A validator with nested quantifiers meets a long input that does not match.
const http = require('node:http');
const emailPattern = /^([a-zA-Z0-9]+\.?)+@example\.com$/;
function validateEmail(text) {
  return emailPattern.test(text);
}
const server = http
  .createServer((request, response) => {
    const address = new URL(request.url, 'http://localhost').searchParams.get('address');
    response.end(String(validateEmail(address)));
  })
  .listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
