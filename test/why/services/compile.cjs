// Templates are compiled on every request, as a schema validator without a cache does.
const http = require('node:http');
function compileTemplate(source) {
  return new Function('data', `return ${JSON.stringify(source)}.replace(/x/g, data.name) + ${Math.random()}`);
}
function render(count) {
  let size = 0;
  for (let n = 0; n < count; n++) size += compileTemplate(`<b>x ${n}</b>`)({ name: 'ada' }).length;
  return size;
}
const server = http
  .createServer((request, response) => response.end(String(render(6000))))
  .listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
