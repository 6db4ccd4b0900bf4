import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, transform } from 'esbuild';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { inspectDirectory } from '../bed/bundles.ts';
import { App, apps, majors, nodes } from './harness/app.ts';
import { lineOf } from './harness/lines.ts';

const modes = join(apps, 'modes.cjs');
let harness: string;
const directory = mkdtempSync(join(tmpdir(), 'nodeops-inside-'));
const running: App[] = [];
const patiently = { timeout: 30_000 };

beforeAll(async () => {
  harness = await inspectDirectory();
});
afterEach(async () => {
  for (const app of running.splice(0)) {
    await app.kill();
    expect(app.stderr).toBe('');
    expect(app.stdout.replace(/^(up|port \d+|memory .*|microtask .*|count \d+)\n/gm, '')).toBe('');
  }
});
afterAll(() => rmSync(directory, { recursive: true }));

describe.each(majors)('from a worker thread on Node %i', (major) => {
  const start = async (...args: string[]): Promise<App> => {
    const app = new App(nodes[major], args, { harness });
    running.push(app);
    return app.up();
  };
  const busy = async (mode: string, ...args: string[]): Promise<App> => (await start(modes, mode, ...args)).go();

  test('stack, stats and memstats of an endless loop', async () => {
    const app = await busy('spinOuter');
    const { data, stuck } = await app.ask('stack');
    expect(stuck).toBeNull();
    expect(data.pending).toBeNull();
    const [main] = data.threads;
    expect(data.threads).toHaveLength(1);
    expect(main?.state).toBe('running');
    expect(main?.frames.slice(0, 3)).toMatchObject([
      { function: 'spinInner', file: modes, line: lineOf(modes, 'while (Date.now() < end);') },
      { function: 'spinOuter', file: modes, line: lineOf(modes, '  spinInner();'), column: 3 },
      { function: 'start', file: modes },
    ]);
    expect(main?.frames.at(-1)).toMatchObject({ function: 'processTimers', file: 'node:internal/timers' });

    const stats = await app.ask('stats', { window: 300 });
    expect(stats.data.eventLoop.utilization).toBe(1);
    expect(stats.data.eventLoop.delayMaxMs).toBeGreaterThan(250);
    expect(stats.data.eventLoop.windowMs).toBeGreaterThanOrEqual(300);
    expect(stats.data.cpu.percent).toBeGreaterThanOrEqual(0);
    expect(stats.data.threads.workers).toBe(0);
    expect((await app.ask('memstats')).data.heap?.usedBytes).toBeGreaterThan(1e6);
  });

  test.each(['backtrack', 'waitForever'])('the stack while in %s', async (mode) => {
    const { data, stuck } = await (await busy(mode)).ask('stack');
    expect(stuck).toBeNull();
    expect(data.threads[0]?.frames[0]).toMatchObject({ function: mode, file: modes });
  });

  test('every reading when stuck in a child process: what the kernel shows, and the last known figures', async () => {
    const app = await start(modes, 'runChild');
    const before = await app.ask('stats', { window: 20 });
    const heapBefore = (await app.ask('memstats')).data.heap;
    await app.go();
    const stack = await app.ask('stack');
    expect(stack.stuck?.state).toBe('S');
    expect(stack.stuck?.syscall).toMatch(/^epoll_p?wait$/);
    expect(stack.stuck?.summary).toMatch(
      /^main thread is waiting in epoll_p?wait\(2\) for at least \d+\.\d s, .*execSync/,
    );
    const [main] = stack.data.threads;
    expect(main).toMatchObject({ thread: 'main', name: null, state: 'native' });
    expect(main?.frames[0]).toEqual({ function: 'spawn', file: '', line: 0, column: 0, native: true });
    const line = lineOf(modes, 'execSync(`sleep');
    expect(main?.frames).toContainEqual(
      expect.objectContaining({ function: 'runChild', file: modes, line, column: 3 }),
    );
    expect(stack.notes).toContain('frames of the main thread are read from its memory');
    const memstats = await app.ask('memstats');
    expect(memstats.stuck?.forMs).toBeGreaterThan(stack.stuck!.forMs);
    expect(memstats.data.heap).toEqual(heapBefore);
    expect(memstats.data.rssBytes).toBeGreaterThan(1e7);
    expect(memstats.notes.join()).toMatch(/heap figures are from \d+\.\d s ago/);
    const stats = await app.ask('stats', { window: 200 });
    expect(stats.data.handles).toEqual(before.data.handles);
    expect(stats.data.eventLoop).toMatchObject({ utilization: 1, delayMaxMs: stats.stuck?.forMs });
    // each gave up on it, and did not wait for its end
    for (const { tookMs } of [stack, memstats, stats]) expect(tookMs).toBeLessThan(20_000);
  });

  test('a synchronous key derivation is native code that runs', async () => {
    const { stuck } = await (await busy('derive')).ask('memstats');
    expect(stuck?.summary).toMatch(/in native code for at least \d+\.\d s, such as synchronous crypto/);
  });

  test('a read of a fifo names read(2)', async () => {
    const fifo = join(directory, `fifo-${major}`);
    execFileSync('mkfifo', [fifo]);
    // a writer that writes nothing; without one it would wait in open(2)
    const writer = openSync(fifo, 'r+');
    try {
      const { stuck, data } = await (await busy('readFifo', fifo)).ask('stack');
      expect(stuck?.summary).toMatch(/^main thread is waiting in read\(2\) for at least \d+\.\d s$/);
      expect(data.threads[0]?.frames.map((frame) => frame.function)).toContain('readFifo');
    } finally {
      closeSync(writer);
    }
  });

  test('a giant JSON.parse cannot be interrupted, and that is said', async () => {
    const app = await busy('parseHuge');
    const { stuck, tookMs } = await app.ask('stack');
    expect(tookMs).toBeLessThan(20_000);
    if (stuck) expect(stuck.summary).toMatch(/JSON\.parse|garbage collection/);
    // between two calls, or while the collector moves the stack's objects again and again, another look is needed
    const own = async () => {
      const { data } = await app.ask('stack');
      return data.threads[0]?.frames.map((frame) => frame.function).find((name) => name !== 'JSON.parse');
    };
    await expect.poll(own, patiently).toBe('parseHuge');
  });

  test('what an idle loop waits for', async () => {
    const app = await busy('idle');
    const port = (await app.said(/port (\d+)/))[1];
    const { data } = await app.ask('stack');
    expect(data.threads).toEqual([
      { thread: 'main', name: null, state: 'idle', frames: [], busyShare: expect.any(Number) },
    ]);
    const details = Object.fromEntries(data.pending!.map(({ type, details }) => [type, details]));
    expect(details).toMatchObject({
      Timeout: ['every 1234 ms', 'once after 987654 ms'],
      TCPServerWrap: [`127.0.0.1:${port}`],
    });
    const stats = await app.ask('stats', { window: 200 });
    expect(stats.data.handles?.byType).toEqual({ Timeout: 2, PipeWrap: 1, TCPServerWrap: 1 });
    expect(stats.data.requests).toEqual({ total: 0, byType: {} });
    const utilization = async () => (await app.ask('stats', { window: 200 })).data.eventLoop.utilization;
    await expect.poll(utilization, patiently).toBeLessThan(0.5);
    expect(stats.data.threads.uvPool).toBe(4);
    const { data: after } = await app.ask('stats', { window: 0 });
    expect(after.eventLoop).toEqual({
      utilization: null,
      delayP50Ms: null,
      delayP99Ms: null,
      delayMaxMs: null,
      windowMs: 0,
    });
    expect(after.handles).toEqual(stats.data.handles);
  });

  test('a loop that is busy for 50 ms at a time has delays of about that', async () => {
    const { data } = await (await busy('halfBusy')).ask('stats', { window: 500 });
    // half of all that comes in 50 ms waits for less than 25
    expect(data.eventLoop.delayP50Ms).toBeGreaterThan(15);
    expect(data.eventLoop.delayMaxMs).toBeGreaterThanOrEqual(data.eventLoop.delayP50Ms!);
    expect(data.eventLoop.utilization).toBeGreaterThan(0.3);
  });

  test('memstats agrees with process.memoryUsage of the app', async () => {
    const app = await busy('memory', '--');
    const own = JSON.parse((await app.said(/memory (.*)/))[1]!) as NodeJS.MemoryUsage;
    const { data } = await app.ask('memstats');
    expect(data.heap!.usedBytes / own.heapUsed).toBeCloseTo(1, 0);
    expect(data.heap!.arrayBuffersBytes).toBeGreaterThanOrEqual(7_000_000);
    expect(data.heap!.arrayBuffersBytes).toBeLessThan(8_000_000);
    expect(data.rssBytes! / own.rss).toBeCloseTo(1, 0);
    expect(data.heap!.limitBytes).toBeGreaterThan(data.heap!.totalBytes);
    expect(data.heap!.nativeContexts).toBe(1);
    const used = data.spaces!.reduce((sum, { usedBytes }) => sum + usedBytes, 0);
    expect(used / data.heap!.usedBytes).toBeCloseTo(1, 0);
    expect(data.spaces!.map(({ name }) => name)).toContain('old_space');
  });

  test('garbage collections are counted by kind', async () => {
    const app = await busy('collect');
    const deadline = Date.now() + 40_000;
    let gc = (await app.ask('memstats')).data.gc!;
    while (gc.scavenge.count + gc.minorMarkSweep.count < 5 && Date.now() < deadline)
      gc = (await app.ask('memstats')).data.gc!;
    const young = gc.scavenge.count ? gc.scavenge : gc.minorMarkSweep;
    expect(young.count).toBeGreaterThanOrEqual(5);
    expect(young.totalPauseMs).toBeGreaterThanOrEqual(young.maxPauseMs);
    expect(young.maxPauseMs).toBeGreaterThan(0);
    expect(Date.parse(gc.last!.at)).toBeGreaterThan(Date.parse(gc.since));
  });

  test('each worker thread, one blocked, one idle, one in native code', async () => {
    const app = await (await start(modes, 'workers')).go();
    const threads = async () =>
      (await app.ask('stack')).data.threads.map(({ name, state, frames: [innermost] }) =>
        state === 'running' ? [name, state, innermost?.function, innermost?.file, innermost?.line] : [name, state],
      );
    // they come up one after the other
    await expect.poll(threads, patiently).toEqual([
      [null, 'idle'],
      ['spinner', 'running', 'spinInWorker', '[worker eval]', 1],
      ['waiter', 'idle'],
      [null, 'native'],
    ]);
    expect((await app.ask('stats', { window: 0 })).data.threads.workers).toBe(3);
  });

  test('a deep recursion shows its innermost frames and says so', async () => {
    const { data, notes } = await (await busy('recurse')).ask('stack');
    expect(data.threads[0]?.frames.length).toBe(199);
    expect(notes).toEqual(['main: the innermost 199 frames are shown; V8 keeps no more']);
  });

  test('an app that breaks errors, JSON, the console and its globals is read all the same', async () => {
    const app = await busy('hostile');
    expect((await app.ask('stack')).data.threads[0]?.frames[0]).toMatchObject({ function: 'spinInner' });
    expect((await app.ask('memstats')).data.heap?.usedBytes).toBeGreaterThan(1e6);
    expect((await app.ask('stats', { window: 100 })).data.eventLoop.delayMaxMs).toBeGreaterThan(80);
  });

  test('microtasks of the app run when they would have run', async () => {
    const app = await busy('queueThenSpin');
    for (const name of ['stack', 'memstats', 'stats', 'stack'] as const) await app.ask(name, { window: 50 });
    expect((await app.said(/microtask ran (.*)/))[1]).toBe('in order');
  });

  test('an ES module app', async () => {
    const esm = join(apps, 'esm.mjs');
    const app = await (await start(esm)).go();
    expect((await app.ask('stack')).data.threads[0]?.frames[0]).toMatchObject({
      function: 'spinInModule',
      file: esm,
      line: lineOf(esm, 'for (;;);'),
    });
    expect((await app.ask('memstats')).data.heap?.usedBytes).toBeGreaterThan(1e6);
  });

  test.each(['inline', 'linked'] as const)(
    'a bundle with an %s source map shows the original position',
    async (sourcemap) => {
      const outfile = join(directory, `${sourcemap}-${major}.cjs`);
      const original = join(apps, 'original.ts');
      await build({
        entryPoints: [original],
        outfile,
        sourcemap,
        bundle: true,
        minify: true,
        platform: 'node',
        logLevel: 'error',
      });
      const app = await (await start(outfile)).go();
      const frame = (await app.ask('stack')).data.threads[0]!.frames[0]!;
      expect(frame.file).toBe(original);
      expect(frame.line).toBe(lineOf(original, 'while (sum >= 0)'));
      expect(frame.generated).toMatchObject({ file: outfile });
    },
  );

  test('a script that was compiled in memory shows the original position', async () => {
    const compiled = join(directory, `compiled-${major}.cjs`);
    const original = join(apps, 'original.ts');
    const { code } = await transform(readFileSync(original, 'utf8'), {
      sourcefile: original,
      sourcemap: 'inline',
      loader: 'ts',
      format: 'cjs',
      minify: true,
    });
    writeFileSync(compiled, code);
    const app = await (await start(join(apps, 'in-memory.cjs'), original, compiled)).go();
    const frame = (await app.ask('stack')).data.threads[0]!.frames[0]!;
    expect(frame).toMatchObject({ file: original, line: lineOf(original, 'while (sum >= 0)'), generated: { line: 1 } });
  });

  test('an asker that dies in mid-pause lets the app run on', async () => {
    const app = await busy('count');
    await app.pauseAndDie();
    const before = app.counted();
    await app.said(new RegExp(`count ${before + 10}\n`));
  });

  test('an app that exits while its loop is watched says nothing about a debugger', async () => {
    const app = await start(modes, 'exit');
    const watched = app.ask('stats', { window: 30_000 }).catch(() => 'cut off');
    await new Promise((resolve) => setTimeout(resolve, 300));
    await app.go();
    expect(await watched).toBe('cut off');
    await expect.poll(() => app.child.exitCode, patiently).toBe(7);
    expect(app.stderr).toBe('');
  });

  test('process shows what the kernel knows', async () => {
    const app = await busy('idle');
    const port = (await app.said(/port (\d+)/))[1];
    const { data } = await app.ask('process', { duration: 100 });
    expect(data).toMatchObject({ pid: app.pid, ppid: process.pid, durationMs: 100 });
    expect(data.command).toMatch(/node --require \S+ \S+modes\.cjs idle$/);
    expect(data.user).toBe(execFileSync('id', ['-un']).toString().trim());
    expect(data.sockets).toContainEqual({
      protocol: 'tcp',
      local: `127.0.0.1:${port}`,
      remote: null,
      state: 'LISTEN',
      queued: 0,
    });
    expect(data.elapsedSeconds).toBeLessThan(60);
    expect(data.threads).toBeGreaterThan(5);
    expect(data.cpuPercentOver).toBeLessThan(100);
  });
});
