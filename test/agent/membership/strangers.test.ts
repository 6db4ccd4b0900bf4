/** What a process of the pod gets that does not know the token: nothing, however it asks. */

import { readFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { portRange } from '../../../src/agent/membership/ports.ts';
import { ask, bed, eventually, fresh, listed, program, server, start, useBed } from '../bed.ts';

useBed();
beforeEach(fresh);
const open: (Server | Socket)[] = [];
afterEach(() => {
  for (const one of open.splice(0)) 'destroy' in one ? one.destroy() : one.close();
});

const token = 'a-token-that-is-long-enough';
const headers = { authorization: `Bearer ${token}` };
const portOf = (pid: number) => Number(readFileSync(join(bed.configDir, String(pid)), 'utf8'));

/** Listens where agents do, and gives what it hears to `take`. */
async function listenAmongAgents(take: (socket: Socket) => void): Promise<number> {
  for (let port = portRange.first + portRange.count - 1; port > portRange.first; port--) {
    const listening = createServer((socket) => {
      socket.on('error', () => {});
      open.push(socket);
      take(socket);
    });
    const listens = await new Promise<boolean>((resolve) => {
      listening.on('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!listens) continue;
    open.push(listening);
    return port;
  }
  throw new Error('no port is free');
}

async function app(env: Record<string, string> = { NODEOPS_TOKEN: token }) {
  const started = start(program('app.cjs', server), { env });
  await started.says('up');
  await eventually(async () => expect((await ask('processes', { headers })).body.data.processes).toHaveLength(1));
  return started;
}

const pids = async () =>
  (await ask('processes', { headers })).body.data.processes.map(({ pid }: { pid: number }) => pid);

describe('a stranger in the pod', () => {
  it.each([
    ['says nothing', () => {}],
    ['answers as an HTTP server does', (socket: Socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['sends without end', (socket: Socket) => void socket.write('x'.repeat(1_000_000))],
    [
      'makes a proof up',
      (socket: Socket) => void socket.write(`NODEOPS/1 proof ${'0'.repeat(32)} ${'0'.repeat(64)}\n`),
    ],
    [
      'claims that there is nothing to prove',
      (socket: Socket) => void socket.write(`NODEOPS/1 proof ${'0'.repeat(32)} -\n`),
    ],
  ])('that listens where agents do and %s is neither listed nor sent the token', async (_, answer) => {
    let heard = '';
    await listenAmongAgents((socket) => {
      socket.on('data', (chunk) => {
        heard += chunk.toString('latin1');
      });
      answer(socket);
    });
    const { pid } = await app();
    expect(await pids()).toEqual([pid]);
    const stats = await ask('stats?window=0', { headers });
    expect(stats.status).toBe(200);
    expect(heard).toContain('NODEOPS/1 introduce');
    expect(heard).not.toMatch(/authorization|Bearer/i);
    expect(heard).not.toContain(token);
  });

  it('that passes on what another agent says is not taken for it', async () => {
    const { pid } = await app();
    let passed = 0;
    await listenAmongAgents((socket) => {
      const other = connect(portOf(pid), '127.0.0.1');
      open.push(other);
      other.on('error', () => {});
      other.on('data', (chunk) => (passed += chunk.length));
      socket.pipe(other).pipe(socket);
    });
    const second = await app2();
    expect((await pids()).sort()).toEqual([pid, second.pid].sort());
    expect(passed).toBe(0);
  });

  async function app2() {
    const started = start(program('app.cjs', server), { env: { NODEOPS_TOKEN: token } });
    await started.says('up');
    await eventually(async () => expect(await pids()).toContain(started.pid));
    return started;
  }

  it('is told nothing by a process on standby or by the one that leads, without the token', async () => {
    await app();
    const standby = await app2();
    for (const port of [bed.port, portOf(standby.pid)]) {
      const got = await new Promise<string>((resolve) => {
        let text = '';
        const socket = connect(port, '127.0.0.1', () =>
          socket.write(`NODEOPS/1 introduce ${'0'.repeat(32)} ${port}\nNODEOPS/1 proof -\n`),
        );
        open.push(socket);
        socket
          .on('data', (chunk) => (text += chunk))
          .on('error', () => {})
          .on('close', () => resolve(text));
      });
      expect(got).not.toContain('pid');
      expect(got).not.toContain(standby.pid);
    }
  });

  it('that opens connections and says nothing keeps nobody out, and takes no memory', async () => {
    const { pid } = await app();
    const rss = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);
    await ask('stats?window=0', { headers });
    const before = rss();
    for (let round = 0; round < 10; round++) {
      for (let i = 0; i < 100; i++) {
        const socket = connect(bed.port, '127.0.0.1', () => socket.write('NODEOPS/1 '.padEnd(9)));
        socket.on('error', () => {});
        open.push(socket);
      }
      await new Promise((done) => setTimeout(done, 300));
    }
    expect((await ask('stats?window=0', { headers })).status).toBe(200);
    expect(rss() - before).toBeLessThan(30_000);
  });

  it('that has the known port costs the app nothing, and is sent nothing', async () => {
    let heard = 0;
    const listening = createServer((socket) => {
      socket.on('error', () => {}).on('data', (chunk) => (heard += chunk.length));
      const flood = setInterval(() => socket.write('{"t":"go","port":1}\n'.repeat(1_000)), 1);
      socket.on('close', () => clearInterval(flood));
      open.push(socket);
    });
    open.push(listening);
    await new Promise<void>((resolve) => listening.listen(bed.port, '127.0.0.1', resolve));
    const started = start(program('app.cjs', server), { env: { NODEOPS_TOKEN: token } });
    await started.says('up');
    await eventually(() => expect(portOf(started.pid)).toBeGreaterThan(0));
    expect((await ask('stats?window=0', { headers, port: portOf(started.pid) })).status).toBe(200);
    expect(heard).toBe(0);
  });

  it('of another user is not believed about whose it is', async (context) => {
    if (process.getuid?.() !== 0) context.skip('another user takes root');
    // without a token anybody may say who it is, but not whose
    const { pid } = await app({});
    const claims = `
      const { createServer } = require('net');
      const info = { container: null, pid: 4242, ppid: 1, name: 'liar.js', command: 'node liar.js', nodeVersion: 'v24.0.0',
        agentVersion: '0', startedAt: new Date().toISOString(), uid: 0, leader: false, port: 0 };
      const version = { agentVersion: '0', protocol: 1, nodeVersion: 'v24.0.0', v8Version: '1', platform: 'linux', arch: 'x64', execPath: '/' };
      const said = JSON.stringify({ info, version, kin: { container: 'x', files: 'x', uid: 0, readOnly: false }, knownPort: ${bed.port}, role: 'awake' });
      process.setuid(65534);
      createServer((socket) => {
        socket.on('error', () => {});
        socket.write('NODEOPS/1 proof ' + '0'.repeat(32) + ' -\\n');
        setTimeout(() => socket.end(said + '\\n'), 50);
      }).listen(${await freeAmongAgents()}, '127.0.0.1', () => console.log('up'));`;
    const liar = start(program('liar.cjs', claims), { flags: [] });
    await liar.says('up');
    await new Promise((done) => setTimeout(done, 150));
    expect((await listed([pid])).status).toBe(200);
  });
});

async function freeAmongAgents(): Promise<number> {
  const port = await listenAmongAgents(() => {});
  await new Promise((done) => (open.pop() as Server).close(done));
  return port;
}
