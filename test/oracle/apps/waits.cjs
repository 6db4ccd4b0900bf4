// One thing that a process waits for without Node listing it, as argv[2] says; says `up` when it is under way.
const { execSync } = require('node:child_process');
const { pbkdf2, randomBytes } = require('node:crypto');
const dgram = require('node:dgram');
const dns = require('node:dns');
const fs = require('node:fs');
const http = require('node:http');
const zlib = require('node:zlib');

const up = () => fs.writeSync(1, 'up\n');
const modes = {
  pbkdf2() {
    for (let i = 0; i < 6; i++) pbkdf2('a', 'b', 1e9, 64, 'sha512', () => {});
    setTimeout(up, 300);
  },
  brotli() {
    for (let i = 0; i < 4; i++) zlib.brotliCompress(randomBytes(64 << 20), () => {});
    setTimeout(up, 300);
  },
  resolve() {
    const silent = dgram.createSocket('udp4');
    silent.bind(0, '127.0.0.1', () => {
      const resolver = new dns.Resolver({ timeout: 60_000, tries: 1 });
      resolver.setServers([`127.0.0.1:${silent.address().port}`]);
      for (let i = 0; i < 4; i++) resolver.resolve4(`host${i}.example.com`, () => {});
      setTimeout(up, 300);
    });
  },
  keepAlive() {
    const server = http.createServer({ keepAliveTimeout: 600_000 }, (_, response) => response.end('x'));
    server.listen(0, '127.0.0.1', () => {
      const agent = new http.Agent({ keepAlive: true });
      http.get({ port: server.address().port, host: '127.0.0.1', agent }, (response) =>
        response.resume().on('end', () => setTimeout(up, 200)),
      );
    });
  },
  execSync() {
    setTimeout(up, 1);
    setTimeout(() => execSync('sleep 600'), 200);
  },
  exit() {
    process.on('exit', () => {
      up();
      for (const end = Date.now() + 60_000; Date.now() < end; );
    });
  },
};
modes[process.argv[2]]();
