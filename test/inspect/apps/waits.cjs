// Waits for one of everything. Says what the test cannot know, then `up`.
const { spawn } = require('node:child_process');
const dgram = require('node:dgram');
const dns = require('node:dns');
const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const { Worker } = require('node:worker_threads');

setInterval(function everyHour() {}, 3_600_000);
setTimeout(function onceLater() {}, 987_654);

function handleOrder(request) {
  request.resume();
  setTimeout(() => fs.writeSync(1, 'up\n'), 100);
}
const server = http.createServer(handleOrder);
function serve() {
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    fs.writeSync(1, `port ${port}\n`);
    http.get({ port, host: '127.0.0.1', path: '/orders/7?token=secret' }).on('error', () => {});
  });
}
serve();

dgram.createSocket('udp4').bind(0, '127.0.0.1');
const child = spawn('sleep', ['600'], { stdio: 'ignore' });
fs.writeSync(1, `child ${child.pid}\n`);
new Worker('setInterval(() => {}, 1000)', { eval: true, name: 'jobs' });
fs.readFile(process.argv[2], function readOrders() {});
fs.read(fs.openSync(process.argv[2], 'r+'), Buffer.alloc(10), () => {});

process.stdin.on('data', function start() {
  setImmediate(function spin() {
    fs.writeSync(3, 'going');
    const end = Date.now() + 90_000;
    while (Date.now() < end);
  });
});
void [dns, net];
