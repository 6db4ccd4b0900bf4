import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { until } from '../bed/until.ts';
import { apps } from '../inspect/harness/app.ts';
import { lineOf } from '../inspect/harness/lines.ts';
import { ask, attach, bed, everyNode, helpers, letGo, listening, modes, patiently, start, useBed } from './bed.ts';

useBed();
const { 24: node } = everyNode as { 24: string };
const esm = join(apps, 'esm.mjs');

describe.each(Object.entries(everyNode))('a Node %s that loads no agent', (_major, binary) => {
  it('is listed, and answers every reading; then its inspector is closed and it runs on', async () => {
    const app = await (await start(binary, [modes, 'idle'])).go();
    let attached = 0;
    // on a busy machine a process may take longer to open its inspector than a question may take
    const client = await vi.waitFor(async () => {
      letGo();
      attached++;
      const fresh = await attach(app.pid);
      expect((await fresh.ask('stats')).data.handles?.byType).toMatchObject({ TCPServerWrap: 1 });
      return fresh;
    }, patiently);
    const { data } = await client.ask('processes');
    expect(data.processes).toMatchObject([{ pid: app.pid, name: 'modes.cjs', uid: process.getuid!(), leader: false }]);
    const { data: version } = await client.ask('version');
    expect(version).toMatchObject({ nodeVersion: expect.stringMatching(/^v\d+\.\d+\.\d+$/), execPath: binary });
    await expect.poll(async () => (await client.ask('memstats')).data.heap?.usedBytes, patiently).toBeGreaterThan(1e6);
    expect((await client.ask('process')).data).toMatchObject({ pid: app.pid, ppid: process.pid });
    expect(listening(app.pid)).toHaveLength(2);
    letGo();
    await until(() => listening(app.pid).length === 1 && helpers().length === 0);
    expect(app.child.exitCode).toBeNull();
    expect(app.stdout).toMatch(/^up\nport \d+\n$/);
    expect(app.stderr.match(/^Debugger listening/gm)!.length).toBeLessThanOrEqual(attached);
  });

  it('says what it executes while its loop is blocked, as CommonJS and as an ES module', async () => {
    const commonjs = await (await start(binary, [modes, 'spinOuter'])).go();
    const main = async () => {
      const [thread] = (await ask(commonjs, 'stack')).data.threads;
      return [thread?.state, thread?.frames[0]?.function, thread?.frames[0]?.file];
    };
    await expect.poll(main, patiently).toEqual(['running', 'spinInner', modes]);
    const module = await (await start(binary, [esm])).go();
    const innermost = async () => (await ask(module, 'stack')).data.threads[0]?.frames[0];
    await expect.poll(innermost, patiently).toMatchObject({ file: esm, line: lineOf(esm, 'for (;;);') });
  });
});

describe('what is in the way', () => {
  it('nothing, when the inspector is open already: it is used and stays open', async () => {
    const app = await start(node, ['--inspect=0', modes, 'idle'], {});
    const before = listening(app.pid);
    expect((await ask(app, 'stats')).data.uptimeSeconds).toBeGreaterThan(0);
    letGo();
    await until(() => helpers().length === 0);
    expect(listening(app.pid)).toEqual(before);
    expect(app.stderr.match(/Debugger listening/g)).toHaveLength(1);
  });

  it("nothing, when a debugger is attached: it stays, with the app's own breakpoints", async () => {
    const app = await start(node, ['--inspect=0', modes, 'idle'], {});
    const url = /ws:\S+/.exec(app.stderr)![0];
    const debugger_ = new WebSocket(url);
    await once(debugger_, 'open');
    const heard: string[] = [];
    debugger_.on('message', (message) => heard.push(String(message)));
    debugger_.send('{"id":1,"method":"Debugger.enable"}');
    expect((await ask(app, 'memstats')).data.heap).not.toBeNull();
    letGo();
    await until(() => helpers().length === 0);
    debugger_.send('{"id":2,"method":"Runtime.evaluate","params":{"expression":"debugger"}}');
    await expect.poll(() => heard.some((message) => message.includes('"Debugger.paused"')), patiently).toBe(true);
    debugger_.close();
  });

  it('another program on the inspector port', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    const app = await start(node, [`--inspect-port=${port}`, modes, 'idle'], {});
    await expect(ask(app, 'stats')).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining(`port ${port}, on which process ${app.pid} would open its inspector, is taken`),
      hint: expect.stringContaining('--inspect-port=0'),
    });
    taken.close();
  });

  it('--disable-sigusr1', async () => {
    const app = await start(node, ['--disable-sigusr1', modes, 'idle'], {});
    await expect(ask(app, 'stats')).rejects.toMatchObject({
      code: 'refused',
      message: `process ${app.pid} does not handle SIGUSR1, so its inspector cannot be opened`,
    });
    expect((await ask(app, 'process')).data.pid).toBe(app.pid);
    expect(app.child.exitCode).toBeNull();
  });

  it("the app's own handler of SIGUSR1: once it is known to have run, it does not again", async () => {
    const script = "process.on('SIGUSR1', () => console.log('mine')); setInterval(() => {}, 1000); console.log('up')";
    const app = await start(node, ['-e', script]);
    const client = await attach(app.pid);
    const refusal = { code: 'refused', message: expect.stringContaining('handles SIGUSR1 itself: its handler ran') };
    // on a busy machine the first one may be answered before that is known
    await expect.poll(() => client.ask('memstats').catch((error) => error), patiently).toMatchObject(refusal);
    const said = app.stdout;
    expect(said).toMatch(/^up\nmine\n/);
    await expect(client.ask('memstats')).rejects.toMatchObject(refusal);
    expect(app.stdout).toBe(said);
  });

  it('a main thread in native code: answered by the kernel, and the inspector that opens late is closed', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'nodeops-native-'));
    const wait = JSON.stringify(`while [ -d '${directory}' ]; do sleep 0.2; done`);
    const app = await start(node, [
      '-e',
      `console.log('up'); require('node:child_process').execSync(${wait}); setInterval(() => {}, 1000)`,
    ]);
    try {
      const stack = async () => (await ask(app, 'stack')).stuck?.summary;
      await expect.poll(stack, patiently).toMatch(/main thread/);
      letGo();
    } finally {
      rmSync(directory, { recursive: true });
    }
    await until(() => app.stderr.includes('Debugger listening') && listening(app.pid).length === 0);
    expect(app.child.exitCode).toBeNull();
  });
});

describe('several', () => {
  it('worker threads of one process', async () => {
    const app = await (await start(node, [modes, 'workers'])).go();
    const client = await attach(app.pid);
    const states = async () =>
      (await client.ask('stack')).data.threads.map(({ thread, state }) => `${thread} ${state}`);
    // they come up one after the other
    await expect.poll(states, patiently).toEqual(['main idle', 'worker 1 running', 'worker 2 idle', 'worker 3 native']);
  });

  it('questions at the same time, on connections of their own', async () => {
    const app = await start(node, [modes, 'idle']);
    const client = await attach(app.pid);
    const replies = await Promise.all([
      client.ask('stats', { window: 500 }),
      client.ask('memstats'),
      client.ask('process'),
      client.ask('stack'),
    ]);
    expect(replies.map(({ process: { pid } }) => pid)).toEqual(new Array(4).fill(app.pid));
    expect(app.stderr.match(/Debugger attached/g)).toHaveLength(1);
  });

  it('plugins at the same time', async () => {
    const app = await start(node, [modes, 'idle']);
    const [one, other] = [await attach(app.pid), await attach(app.pid)];
    const first = await one.ask('memstats');
    const second = await other.ask('memstats');
    expect([first.data.heap?.limitBytes, second.data.heap?.limitBytes]).toEqual([
      first.data.heap?.limitBytes,
      first.data.heap?.limitBytes,
    ]);
    expect(bed.sessions).toHaveLength(2);
  });
});
