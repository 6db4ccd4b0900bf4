import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { activate } from '../../src/inspect/activate.ts';
import type { Inspector } from '../../src/inspect/inspector.ts';
import { listeningOn } from '../../src/inspect/inspector-port.ts';
import { readings } from '../../src/inspect/readings/readings.ts';
import { openRemote } from '../../src/inspect/remote.ts';
import type { Subject } from '../../src/inspect/subject.ts';
import { App, apps, majors, nodes } from './harness/app.ts';
import { lineOf } from './harness/lines.ts';

const modes = join(apps, 'modes.cjs');
const esm = join(apps, 'esm.mjs');
const running: App[] = [];
const opened: Inspector[] = [];

afterEach(async () => {
  for (const inspector of opened.splice(0)) await inspector.close();
  for (const app of running.splice(0)) await app.kill();
});

const patiently = { timeout: 30_000 };
const env = { NODE_OPTIONS: '--inspect-port=0' };

async function start(node: string, args: string[], environment: Record<string, string> = env): Promise<App> {
  const app = new App(node, args, { env: environment });
  running.push(app);
  return app.up();
}

async function attach(app: App): Promise<Inspector> {
  const inspector = await activate(app.pid, { timeoutMs: 20_000 });
  opened.push(inspector);
  return inspector;
}

function subjectOf(app: App, inspector: Inspector): Subject {
  return {
    pid: app.pid,
    procDir: `/proc/${app.pid}`,
    inspector: async () => inspector,
    lastKnown: new Map(),
    ownThreadId: undefined,
  };
}

describe.each(majors)('from outside, on Node %i', (major) => {
  const node = nodes[major];

  test.each([
    ['spinOuter', 'spinInner'],
    ['backtrack', 'backtrack'],
    ['waitForever', 'waitForever'],
  ])('the stack while in %s, and the inspector is closed again', async (mode, innermost) => {
    const app = await (await start(node, [modes, mode])).go();
    const inspector = await attach(app);
    expect(await listeningOn(`/proc/${app.pid}`)).toHaveLength(1);
    const { data, stuck } = await readings.stack(subjectOf(app, inspector), {});
    expect(stuck).toBeNull();
    expect(data.threads[0]?.frames[0]).toMatchObject({ function: innermost, file: modes });
    await inspector.close();
    await expect.poll(() => listeningOn(`/proc/${app.pid}`), patiently).toEqual([]);
    expect(app.child.exitCode).toBeNull();
    expect(app.stdout).toBe('up\n');
  });

  test('by several at once: whoever leaves last closes the inspector, not whoever opened it', async () => {
    const app = await (await start(node, [modes, 'spinOuter'])).go();
    const first = await attach(app);
    const second = await attach(app);
    await readings.stack(subjectOf(app, second), {});
    await first.close();
    const { data } = await readings.stack(subjectOf(app, second), {});
    expect(data.threads[0]?.frames[0]?.function).toBe('spinInner');
    await second.close();
    await expect.poll(() => listeningOn(`/proc/${app.pid}`), patiently).toEqual([]);
  });

  test('every reading of an idle app, which has no counters', async () => {
    const app = await (await start(node, [modes, 'idle'])).go();
    const subject = subjectOf(app, await attach(app));
    const memstats = await readings.memstats(subject, { explain: undefined });
    expect(memstats.data.gc).toBeNull();
    expect(memstats.data.heap?.usedBytes).toBeGreaterThan(1e6);
    const stats = await readings.stats(subject, { window: 100 });
    expect(stats.data.handles?.byType).toMatchObject({ Timeout: 2, TCPServerWrap: 1 });
    const utilization = async () => (await readings.stats(subject, { window: 300 })).data.eventLoop.utilization;
    await expect.poll(utilization, patiently).toBeLessThan(0.9);
    const stack = await readings.stack(subject, {});
    expect(stack.data.pending?.find(({ type }) => type === 'Timeout')?.details).toContain('every 1234 ms');
    const process_ = await readings.process(subject, { duration: 0 });
    expect(process_.data).toMatchObject({ pid: app.pid, ppid: process.pid });
  });

  test('an ES module in an endless loop', async () => {
    const app = await (await start(node, [esm])).go();
    const { data } = await readings.stack(subjectOf(app, await attach(app)), {});
    expect(data.threads[0]?.frames[0]).toMatchObject({ file: esm, line: lineOf(esm, 'for (;;);') });
  });

  test('worker threads', async () => {
    const app = await (await start(node, [modes, 'workers'])).go();
    // a session is told of a worker once: each look has its own
    const states = async () => {
      const inspector = await activate(app.pid, { timeoutMs: 20_000 });
      try {
        const { data } = await readings.stack(subjectOf(app, inspector), {});
        return data.threads.map(({ thread, state }) => `${thread} ${state}`);
      } finally {
        await inspector.close();
      }
    };
    await expect.poll(states, patiently).toEqual(['main idle', 'worker 1 running', 'worker 2 idle', 'worker 3 native']);
  });

  test('a main thread in native code does not open its inspector, and is then evidence', async () => {
    const app = await start(node, [modes, 'runChild']);
    const inspector = await attach(app);
    await app.go();
    const { stuck, data } = await readings.stack(subjectOf(app, inspector), {});
    expect(stuck?.syscall).toMatch(/^epoll/);
    // from another process, too, where the kernel lets it be read
    expect(data.threads[0]?.frames.map((frame) => frame.function)).toEqual(
      expect.arrayContaining(['spawn', 'runChild']),
    );
    const other = await (await start(node, [modes, 'runChild'])).go();
    await expect(activate(other.pid)).rejects.toMatchObject({
      code: 'stuck',
      message: expect.stringContaining(`process ${other.pid} did not open its inspector`),
    });
  });

  test('an inspector that was open before is used and left open', async () => {
    const app = await start(node, ['--inspect=127.0.0.1:0', modes, 'spinOuter'], {});
    await app.go();
    const before = await listeningOn(`/proc/${app.pid}`);
    const inspector = await attach(app);
    expect(
      (await readings.memstats(subjectOf(app, inspector), { explain: undefined })).data.heap?.usedBytes,
    ).toBeGreaterThan(1e6);
    await inspector.close();
    expect(await listeningOn(`/proc/${app.pid}`)).toEqual(before);
  });

  test('an inspector that the app opened on a port of its choice is found, and left open', async () => {
    const open = "require('node:inspector').open(0); setTimeout(() => {}, 90_000); console.log('up')";
    const app = await start(node, ['-e', open], {});
    const before = await listeningOn(`/proc/${app.pid}`);
    expect(before).toHaveLength(1);
    const inspector = await attach(app);
    expect(
      (await readings.memstats(subjectOf(app, inspector), { explain: undefined })).data.heap?.usedBytes,
    ).toBeGreaterThan(1e6);
    await inspector.close();
    expect(await listeningOn(`/proc/${app.pid}`)).toEqual(before);
  });

  test('an asker whose connection is cut in mid-pause lets the app run on', async () => {
    const app = await start(node, ['--inspect=127.0.0.1:0', modes, 'count'], {});
    await app.go();
    const [address] = (await listeningOn(`/proc/${app.pid}`))!;
    const inspector = await openRemote(address!);
    const paused = new Promise((resolve) => inspector.on('Debugger.paused', resolve));
    await inspector.post('Debugger.enable');
    await inspector.post('Debugger.pause');
    await paused;
    const before = app.counted();
    await inspector.close();
    await app.said(new RegExp(`count ${before + 10}\n`));
  });

  test('an app that exits does not wait for who looks at it', async () => {
    const app = await start(node, [modes, 'exit']);
    const inspector = await attach(app);
    await inspector.post('Runtime.evaluate', { expression: '1' });
    app.child.stdin!.write('go\n');
    const [code] = await once(app.child, 'exit', { signal: AbortSignal.timeout(30_000) });
    expect(code).toBe(7);
    await expect(inspector.post('Runtime.evaluate', { expression: '1' })).rejects.toMatchObject({
      code: 'no-such-process',
    });
  });

  test.each(['--inspect-brk=0', '--inspect-wait=0'])('%s: it is said what holds the process', async (option) => {
    const app = new App(node, [option, modes, 'idle']);
    running.push(app);
    await expect.poll(() => app.stderr, { timeout: 30_000 }).toContain('Debugger listening');
    const subject = subjectOf(app, await attach(app));
    const why = expect.stringContaining('--inspect-brk');
    const stack = await readings.stack(subject, {});
    expect(stack.data.pending).toEqual([{ type: 'Debugger', count: 1, details: [why] }]);
    const waits = await readings.waits(subject, {});
    expect(waits.data).toMatchObject({
      counts: { Debugger: 1 },
      waits: [{ kind: 'other', type: 'Debugger', name: why }],
    });
    // a setImmediate there would be a segmentation fault
    const stats = await readings.stats(subject, { window: 50 });
    expect(stats).toMatchObject({ stuck: null, data: { eventLoop: { delayMaxMs: null } } });
    expect(app.stdout).toBe('');
    expect((await readings.stack(subject, {})).data.pending).toHaveLength(1);
  });
});

describe('what cannot be opened is said, and nothing is signalled', () => {
  test('a port that another process holds', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as { port: number };
    const app = await start(nodes[24], [modes, 'idle'], { NODE_OPTIONS: `--inspect-port=${port}` });
    await expect(activate(app.pid)).rejects.toMatchObject({
      code: 'refused',
      message: `port ${port}, on which process ${app.pid} would open its inspector, is taken by another process`,
      hint: expect.stringContaining('--inspect-port=0'),
    });
    expect(app.stderr).toBe('');
    holder.close();
  });

  test('--disable-sigusr1, which would make the signal fatal', async () => {
    const app = await start(nodes[24], ['--disable-sigusr1', modes, 'idle'], {});
    await expect(activate(app.pid)).rejects.toMatchObject({
      code: 'refused',
      message: `process ${app.pid} does not handle SIGUSR1, so its inspector cannot be opened`,
    });
    expect(app.child.signalCode).toBeNull();
  });

  test('what is not Node.js', async () => {
    const app = new App('/bin/sleep', ['20']);
    running.push(app);
    await once(app.child, 'spawn');
    await expect(activate(app.pid)).rejects.toMatchObject({ code: 'refused', message: /is sleep, not Node\.js/ });
    expect(app.child.signalCode).toBeNull();
  });

  test('a process that is not there', async () => {
    await expect(activate(2 ** 22 + 1)).rejects.toMatchObject({ code: 'no-such-process' });
  });

  test('another user’s process', async ({ skip }) => {
    if (process.getuid?.() !== 0) skip('needs root, to have another user look');
    const app = await start(nodes[24], [modes, 'idle'], {});
    process.seteuid!(65534);
    try {
      await expect(activate(app.pid)).rejects.toMatchObject({
        code: 'not-permitted',
        message: expect.stringMatching(`process ${app.pid} belongs to`),
      });
    } finally {
      process.seteuid!(0);
    }
  });

  test('a port where nothing, or no inspector, answers', async () => {
    const silent = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as { port: number };
    await expect(openRemote({ host: '127.0.0.1', port, timeoutMs: 200 })).rejects.toMatchObject({
      code: 'unreachable',
    });
    silent.close();
    await expect(openRemote({ host: '127.0.0.1', port: 1 })).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('127.0.0.1:1'),
    });
  });
});
