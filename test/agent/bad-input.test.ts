import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { limits } from '../../src/protocol/limits.ts';
import { type App, ask, bed, eventually, fresh, listed, program, raw, server, start, useBed } from './bed.ts';

useBed();
beforeEach(fresh);

async function serving(env: Record<string, string> = {}): Promise<App> {
  const app = start(program('app.cjs', server), { env });
  await app.says('up');
  await eventually(() => raw('x\r\n\r\n').then((text) => expect(text).toContain('HTTP/1.1 400')));
  return app;
}
const rssOf = (pid: number) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024;
const get = (path: string, headers: string) => `GET ${path} HTTP/1.1\r\n${headers}Connection: close\r\n\r\n`;

describe('who may ask', () => {
  it('is checked by Host, x-nodeops and Origin', async () => {
    await serving();
    expect((await ask('version', { headers: { host: 'evil.example' } })).body.error.code).toBe('not-permitted');
    expect((await ask('version', { headers: { host: '127.0.0.1.evil.example' } })).status).toBe(403);
    expect((await ask('version', { headers: { 'x-nodeops': undefined } })).body.error).toMatchObject({
      code: 'bad-request',
    });
    expect((await ask('version', { headers: { 'x-nodeops': 'yes' } })).status).toBe(400);
    expect((await ask('version', { headers: { origin: 'http://localhost' } })).body.error.code).toBe('not-permitted');
    for (const host of ['localhost', '127.9.9.9:1', '[::1]:8848'])
      expect((await ask('version', { headers: { host } })).status).toBe(200);
    const without = await raw(get('/v1/version', 'X-Nodeops: 1\r\n'));
    expect(without).toContain('HTTP/1.1 400');
    expect(without).toContain('"bad-request","message":"the Host header is missing"');
  });

  it('is checked by token, which a file or a variable gives', async () => {
    const file = join(bed.configDir, 'token');
    writeFileSync(file, 's3cret\n');
    await serving({ NODEOPS_TOKEN_FILE: file });
    expect((await ask('version')).body.error.code).toBe('unauthorized');
    expect((await ask('version', { headers: { authorization: 'Bearer s3cre' } })).status).toBe(401);
    expect((await ask('version', { headers: { authorization: 'Bearer s3cret' } })).status).toBe(200);
    // gops knows no token
    expect(await raw(Buffer.from([4]))).toBe('');
  });

  it('leaves a process without agent when its token cannot be read', async () => {
    const app = start(program('app.cjs', server), { env: { NODEOPS_TOKEN_FILE: '/nonexistent' } });
    await app.says('up');
    await new Promise((resolve) => setTimeout(resolve, 300));
    await expect(ask('version')).rejects.toThrow('ECONNREFUSED');
  });
});

it.runIf(process.platform === 'linux')(
  'a directory in which nothing can be made keeps neither app nor agent',
  async () => {
    await serving({
      NODEOPS_ARTIFACTS_DIR: '/proc/nodeops/artifacts',
      NODEOPS_TRIGGERS: 'when heapUsed > 1MB capture report',
    });
    const { status, body } = await ask('artifacts');
    expect(status).toBe(200);
    expect(body.data.artifacts).toEqual([]);
    expect(body.data.triggers.errors).toContainEqual(expect.stringContaining('NODEOPS_ARTIFACTS_DIR'));
    expect((await ask('memstats')).status).toBe(200);
  },
);

it('what cannot be answered is said, each with its code', async () => {
  await serving();
  const codes = async (path: string, method = 'GET') => (await ask(path, { method })).body.error.code;
  expect(await codes('nonsense')).toBe('no-such-operation');
  expect(await codes('constructor')).toBe('no-such-operation');
  expect(await codes('../version')).toBe('no-such-operation');
  expect(await codes('version', 'POST')).toBe('bad-request');
  expect(await codes('stats?window=x')).toBe('bad-request');
  expect(await codes('stats?__proto__=1')).toBe('bad-request');
  expect(await codes('stats?process=1&process=2')).toBe('bad-request');
  expect(await codes('stats?window=1&window=2')).toBe('bad-request');
  expect(
    (await ask('version', { method: 'POST', body: 'x'.repeat(limits.requestBodyBytes + 1) })).body.error.code,
  ).toBe('too-large');
  expect(await raw(get('/v1/version', `Host: localhost\r\nX: ${'x'.repeat(limits.requestHeadBytes)}\r\n`))).toContain(
    'HTTP/1.1 431',
  );
});

it('an offer of another protocol, as curl --http2 makes it, is passed over', async () => {
  await serving();
  const offer = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n';
  const socket = connect(bed.port, '127.0.0.1', () =>
    socket.write(`GET /v1/version HTTP/1.1\r\nHost: localhost\r\nx-nodeops: 1\r\n${offer}\r\n`),
  );
  let answer = '';
  for await (const chunk of socket) {
    answer += chunk;
    if (answer.includes(`"nodeVersion"`)) break;
  }
  expect(answer).toContain('HTTP/1.1 200 OK');
});

it('gops signals are answered as text until the end', async () => {
  await serving();
  expect(await raw(Buffer.from([4]))).toBe(`${(await ask('version')).body.data.nodeVersion}\n`);
  expect(await raw(Buffer.from([3]))).toMatch(/heap-used: [\d.]+\w+ \(\d+ bytes\)/);
  expect(await raw(Buffer.from([1]))).toContain('main');
});

describe('a hostile neighbour', () => {
  it('sends garbage, half requests and lies, and the agent answers others', async () => {
    const app = await serving();
    const held: Socket[] = [];
    const hold = (bytes: string | Buffer) => {
      const socket = connect(bed.port, '127.0.0.1', () => socket.write(bytes));
      socket.on('error', () => {}).resume();
      held.push(socket);
      return new Promise<void>((resolve) => socket.on('close', () => resolve()));
    };
    const lease =
      'GET /v1/lease HTTP/1.1\r\nHost: localhost\r\nx-nodeops: 1\r\nConnection: Upgrade\r\nUpgrade: nodeops-lease\r\n\r\n';
    for (let i = 0; i < 30; i++) void hold(i % 3 === 0 ? 'GET /v1/ver' : i % 3 === 1 ? 'GET' : '');
    await Promise.all([
      hold(Buffer.alloc(100_000, 0xff)),
      hold('GET /v1/lease HTTP/1.1\r\nHost: localhost\r\n\r\n'),
      hold(`${lease}not json\n`),
      hold(`${lease}{"t":"sleeper"}\n`),
      hold(`${lease}{"t":"awake","key":"x","port":1}\n`),
      hold(`${lease}${'x'.repeat(300_000)}`),
      hold(lease.replace('x-nodeops: 1', 'x-nodeops: 1\r\nOrigin: http://evil.example') + '{}\n'),
    ]);
    expect((await ask('version')).status).toBe(200);
    expect((await ask('processes')).body.data.processes).toHaveLength(1);
    expect(app.child.exitCode).toBe(null);
    expect(app.output()).toBe('up\n');
    for (const socket of held) socket.destroy();
  });

  it('claims to be another process, which is neither listed nor signalled', async () => {
    await serving();
    const victim = start(
      program(
        'victim.cjs',
        'process.on("SIGUSR1", () => console.log("hit")); setInterval(() => {}, 1000); console.log("up")',
      ),
      { flags: [] },
    );
    await victim.says('up');
    const { body } = await ask('processes');
    const [info] = body.data.processes;
    const version = (await ask('version')).body.data;
    const liar = connect(bed.port, '127.0.0.1').on('error', () => {});
    const hello = { t: 'introduction', info: { ...info, pid: victim.pid, port: info.port }, version };
    liar.write(`GET /v1/lease HTTP/1.1\r\nHost: localhost\r\nx-nodeops: 1\r\n\r\n${JSON.stringify(hello)}\n`);
    await new Promise((resolve) => liar.once('data', resolve));
    expect((await ask(`stack?process=${victim.pid}`)).status).toBe(404);
    await listed([info.pid]);
    expect(victim.output()).toBe('up\n');
    liar.destroy();
  });

  it('holds more connections than are served: whoever asks is answered, and slow ones are closed', async () => {
    await serving();
    const held = Array.from({ length: limits.connections }, () => connect(bed.port, '127.0.0.1').on('error', () => {}));
    const closed = Promise.all(held.map((socket) => new Promise((resolve) => socket.on('close', resolve))));
    await eventually(async () => expect((await ask('version')).status).toBe(200));
    const drip = setInterval(() => held.at(-1)!.write('G'), 500);
    await closed;
    clearInterval(drip);
    expect((await ask('version')).status).toBe(200);
  }, 90_000);

  it('opens and drops 12,000 connections, and memory stays bounded', async () => {
    const app = await serving();
    const round = async (count: number) => {
      for (let done = 0; done < count; done += 50)
        await Promise.all(
          Array.from({ length: 50 }, (_, i) => raw(i % 2 ? 'GET /v1/version HT' : 'zz\r\n\r\n', bed.port, true)),
        );
    };
    await round(3_000);
    const before = rssOf(app.pid);
    await round(9_000);
    expect(rssOf(app.pid) - before).toBeLessThan(48 * 1024 * 1024);
    // so many within a second that others are closed, too: those of the next one are not
    expect((await eventually(() => ask('version'))).status).toBe(200);
  });
});

describe('a port that something else holds', () => {
  it('leaves the agent answering on its own port, saying why, and is taken when it becomes free', async () => {
    const other = createServer((socket) => socket.end('hello\n')).listen(bed.port, '127.0.0.1');
    const app = start(program('app.cjs', server));
    await app.says('up');
    const port = await eventually(() => Number(readFileSync(join(bed.configDir, String(app.pid)), 'utf8')));
    const { body } = await eventually(async () => {
      const reply = await ask('version', { port });
      expect(reply.body.notes).toHaveLength(1);
      return reply;
    });
    expect(body.notes[0]).toContain(`127.0.0.1:${bed.port} is taken by a program that is no nodeops agent`);
    other.close();
    await eventually(() => ask('version'));
    expect((await ask('version')).body.notes).toEqual([]);
    expect(app.output()).toBe('up\n');
  }, 60_000);

  it('and says nothing at all, keeps an app no longer than it lives', async () => {
    const other = createServer(() => {}).listen(bed.port, '127.0.0.1');
    const app = start(program('short.cjs', 'console.log("done")'));
    expect(await app.ended).toEqual({ code: 0, signal: null });
    expect(app.output()).toBe('done\n');
    other.close();
  });
});

describe('a config directory', () => {
  it('that cannot be written changes nothing else', async () => {
    for (const configDir of ['/proc/nodeops', '/dev/null/x']) {
      await fresh();
      const app = await serving({ NODEOPS_CONFIG_DIR: configDir });
      expect((await ask('version')).body.process.pid).toBe(app.pid);
      expect(app.output()).toBe('up\n');
    }
  });

  it('with a link in the place of the file: the link is replaced and its target left alone', async () => {
    const target = join(bed.dir, 'precious');
    writeFileSync(target, 'keep');
    const links = program(
      'links.cjs',
      `require('fs').symlinkSync(${JSON.stringify(target)}, ${JSON.stringify(bed.configDir)} + '/' + process.pid);`,
    );
    const app = start(program('app.cjs', server), { flags: ['--require', links, '--require', bed.preload] });
    await app.says('up');
    await eventually(() => expect(readFileSync(join(bed.configDir, String(app.pid)), 'utf8')).toMatch(/^\d+$/));
    expect(readFileSync(target, 'utf8')).toBe('keep');
  });

  it('is made with rights for its user alone', async () => {
    const configDir = join(bed.configDir, 'a', 'b');
    mkdirSync(join(bed.configDir, 'a'));
    chmodSync(join(bed.configDir, 'a'), 0o755);
    symlinkSync(bed.configDir, join(bed.dir, `link-${bed.port}`));
    await serving({ NODEOPS_CONFIG_DIR: configDir });
    const { statSync } = await import('node:fs');
    await eventually(() => expect(statSync(configDir).mode & 0o777).toBe(0o700));
  });
});
