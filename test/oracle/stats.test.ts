/** `stats` against the kernel and against what the app was made to do. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { delaysOf } from '../../src/inspect/delays.ts';
import { inspectDirectory } from '../bed/bundles.ts';
import { App, majors, nodes } from '../inspect/harness/app.ts';

const apps = new URL('./apps/', import.meta.url).pathname;
const scratch = mkdtempSync(join(tmpdir(), 'nodeops-oracle-'));
const fifo = join(scratch, 'fifo');
let harness: string;
const running: App[] = [];

beforeAll(async () => {
  execFileSync('mkfifo', [fifo]);
  harness = await inspectDirectory();
});
afterEach(async () => {
  for (const app of running.splice(0)) await app.kill();
});
afterAll(() => {
  rmSync(scratch, { recursive: true });
});

const start = async (node: string, ...args: string[]): Promise<App> => {
  const app = new App(node, args, { harness });
  running.push(app);
  return app.up();
};
/** CPU of a process in seconds, by the kernel. */
const cpuSeconds = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
};

describe.each(majors)('on Node %i', (major) => {
  test('threads, pool, children and descriptors are those of the kernel', async () => {
    const app = await start(nodes[major], join(apps, 'threads.cjs'), 'full', fifo);
    const from = cpuSeconds(app.pid);
    const { data } = await app.ask('stats', { window: 500 });
    const to = cpuSeconds(app.pid);
    const use = data.threadUse!;
    const of = (kind: string) => use.filter((entry) => entry.kind === kind);
    expect(of('main')).toMatchObject([{ name: 'main', threads: 1 }]);
    expect(of('worker')).toMatchObject([{ name: expect.stringMatching(/^worker \d+ 'spinner'$/), threads: 1 }]);
    expect(of('pool')).toMatchObject([{ threads: 4 }]);
    expect(of('agent')).toHaveLength(1);
    expect(use.reduce((sum, { threads }) => sum + threads, 0)).toBe(data.threads.os);
    // all of its CPU but that of threads that have ended; the kernel counts in steps of 10 ms a thread
    const all = use.reduce((sum, entry) => sum + entry.cpuSeconds, 0);
    expect(all).toBeGreaterThan(from - 0.3);
    expect(all).toBeLessThan(to + 0.3);
    const percent = use.reduce((sum, entry) => sum + entry.percent!, 0);
    expect(percent).toBeLessThan(data.cpu.percent! + 15);
    expect(percent).toBeGreaterThan(data.cpu.percent! - 15);

    expect(data.threads.uvPool).toBe(4);
    expect(data.pool).toMatchObject({ threads: 4, size: 4, busy: 4, queued: 2, delayIsLeast: true });
    expect(data.pool!.delayMs).toBeGreaterThan(90);
    expect(data.pool!.work).toEqual([
      { what: 'computing', count: 3 },
      { what: expect.stringMatching(/^open(at)? .*\/fifo$/), count: 1 },
    ]);

    const { data: seen } = await app.ask('process', { duration: 0 });
    expect(seen.children).toMatchObject([{ command: 'sleep 600', state: 'S' }]);
    const [child] = seen.children!;
    expect(readFileSync(`/proc/${child!.pid}/cmdline`, 'utf8').split(String.fromCharCode(0))).toEqual([
      'sleep',
      '600',
      '',
    ]);
    expect(child!.ageSeconds).toBeLessThan(60);

    const open = readdirSync(`/proc/${app.pid}/fd`).length;
    expect(Math.abs(data.descriptors!.open! - open)).toBeLessThanOrEqual(3);
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync(`/proc/${app.pid}/limits`, 'utf8'))!;
    expect(data.descriptors!.limit).toBe(Number(soft));
  });

  test('a pool that is not full lets nothing wait', async () => {
    const app = await start(nodes[major], join(apps, 'threads.cjs'), 'idle');
    const { data } = await app.ask('stats', { window: 50 });
    expect(data.pool).toMatchObject({ threads: 4, busy: 0, work: [], queued: 0, delayMs: 0, delayIsLeast: false });
  });

  test('a pool that nothing has used is not started by being looked at', async () => {
    const app = await start(nodes[major], join(apps, 'blocks.cjs'), '1', '1000');
    for (let i = 0; i < 2; i++)
      expect((await app.ask('stats', { window: 50 })).data.pool).toMatchObject({ threads: 0, size: 4 });
  });

  test('the delay is by time, whatever the timers of the app are in step with', async () => {
    const app = await start(nodes[major], join(apps, 'blocks.cjs'), '80', '100');
    const { eventLoop } = (await app.ask('stats', { window: 3_000 })).data;
    expect(eventLoop.delayP50Ms).toBeGreaterThan(10);
    expect(eventLoop.delayP99Ms).toBeGreaterThan(60);
    expect(eventLoop.delayP99Ms).toBeLessThan(eventLoop.delayMaxMs!);
    expect(eventLoop.utilization).toBeGreaterThan(0.6);
  });
});

describe('delays', () => {
  const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);

  test('weigh by time: 500 ms in every 5 s', () => {
    const late = [...times(900, [10, 0] as const), [10, 500] as const, [10, 500] as const];
    const { delayP50Ms, delayP99Ms, delayMaxMs } = delaysOf(late);
    expect(delayP50Ms).toBe(0);
    expect(delayP99Ms).toBeGreaterThanOrEqual(440);
    expect(delayP99Ms).toBeLessThanOrEqual(470);
    expect(delayMaxMs).toBe(500);
  });

  test('are not the longest one where a window is short', () => {
    const { delayP99Ms } = delaysOf([...times(60, [10, 1] as const), [10, 9] as const]);
    expect(delayP99Ms).toBeLessThan(9);
    expect(delayP99Ms).toBeGreaterThan(1);
  });

  test('of nothing are not known', () => {
    expect(delaysOf([])).toEqual({ delayP50Ms: null, delayP99Ms: null, delayMaxMs: null });
  });
});
