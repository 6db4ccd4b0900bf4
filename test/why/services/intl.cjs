// A formatter is made anew for each figure.
const http = require('node:http');
function money(amount) {
  return new Intl.NumberFormat('de-DE', { style: 'currency', currency: 'EUR' }).format(amount);
}
const server = http
  .createServer((request, response) => {
    const lines = [];
    for (let n = 0; n < 9000; n++) lines.push(money(n * 1.01));
    response.end(lines.join('\n'));
  })
  .listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
