// A template folder is read with synchronous calls on every request.
const http = require('node:http');
const fs = require('node:fs');
const path = require('node:path');
const folder = fs.mkdtempSync('/tmp/nodeops-why-');
for (let n = 0; n < 6000; n++) fs.writeFileSync(path.join(folder, `part-${n}.html`), `<p>${n}</p>`.repeat(200));
process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
process.on('SIGTERM', () => process.exit());
class Templates {
  load() {
    let size = 0;
    for (const name of fs.readdirSync(folder)) size += fs.readFileSync(path.join(folder, name), 'utf8').length;
    return size;
  }
}
const templates = new Templates();
const server = http
  .createServer((request, response) => response.end(String(templates.load())))
  .listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
