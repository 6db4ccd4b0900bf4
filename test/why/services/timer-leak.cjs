// A watchdog timer for each request, never cleared.
const http = require('node:http');
class Watchdog {
  constructor(name) {
    this.name = name;
    this.timer = setInterval(() => this.check(), 60_000);
  }
  check() {
    return this.name.length;
  }
}
let count = 0;
const server = http
  .createServer((request, response) => response.end(new Watchdog(`request ${count++}`).name))
  .listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
