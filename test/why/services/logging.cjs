// Debug logging of whole objects.
const http = require('node:http');
const { Console } = require('node:console');
const { createWriteStream } = require('node:fs');
const logger = new Console(createWriteStream('/dev/null'));
const order = {
  id: 1,
  lines: Array.from({ length: 120 }, (_, n) => ({
    sku: `sku-${n}`,
    price: { net: n, gross: n * 1.19 },
    tags: ['a', 'b'],
  })),
};
function audit(event, data) {
  logger.dir({ event, at: new Date(), data }, { depth: 6 });
}
const server = http
  .createServer((request, response) => {
    for (let n = 0; n < 250; n++) audit('order', order);
    response.end('ok');
  })
  .listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
