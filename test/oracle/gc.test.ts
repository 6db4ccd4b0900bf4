/** Collections as `memstats` counts them, against what V8 prints of each (--trace-gc). */
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { inspectDirectory } from '../bed/bundles.ts';
import { App, majors, nodes } from '../inspect/harness/app.ts';

const program = join(new URL('./apps/', import.meta.url).pathname, 'turn-gc.cjs');
let harness: string;
const running: App[] = [];

beforeAll(async () => {
  harness = await inspectDirectory();
});
afterEach(async () => {
  for (const app of running.splice(0)) await app.kill();
});

/** Pauses as printed, in milliseconds. Each thread has a heap of its own: the one that collected most is the app's. */
function ofMain(printed: string): number[] {
  const byIsolate = new Map<string, number[]>();
  const line = /\[\d+:(0x[0-9a-f]+)\] +[\d.]+ ms: (?:Scavenge|Minor Mark|Mark-Compact).*?, ([\d.]+) \/ [\d.]+ ms/g;
  for (const [, isolate, ms] of printed.matchAll(line))
    byIsolate.set(isolate!, [...(byIsolate.get(isolate!) ?? []), Number(ms)]);
  return [...byIsolate.values()].sort((a, b) => b.length - a.length)[0] ?? [];
}

describe.each(majors)('on Node %i', (major) => {
  test('collections inside one long turn count while it lasts, as many as V8 tells and with its pauses', async () => {
    const app = new App(nodes[major], ['--trace-gc', program], { harness });
    running.push(app);
    await app.up();
    const counted = async () => {
      const { gc } = (await app.ask('memstats')).data;
      const kinds = [gc!.scavenge, gc!.minorMarkSweep, gc!.markSweepCompact];
      return {
        count: kinds.reduce((sum, { count }) => sum + count, 0),
        pauseMs: kinds.reduce((sum, { totalPauseMs }) => sum + totalPauseMs, 0),
      };
    };
    const first = await counted();
    const inTurn = new Set<number>();
    while (!/^done$/m.test(app.stdout)) inTurn.add((await counted()).count);
    const last = await counted();
    expect(inTurn.size).toBeGreaterThan(2);
    const ended = new Promise((resolve) => app.child.stdout!.once('close', resolve));
    process.kill(app.pid, 'SIGUSR2');
    await ended;
    const told = ofMain(app.stdout);
    const pauseMs = told.slice(-last.count).reduce((sum, ms) => sum + ms, 0);
    // those before counting began are told, too, and one may come at the exit
    expect(last.count).toBeLessThanOrEqual(told.length);
    expect(last.count - first.count).toBeGreaterThan(10);
    expect(told.length - last.count).toBeLessThanOrEqual(10);
    expect(last.pauseMs / pauseMs).toBeGreaterThan(0.7);
    // V8 prints each line within the pause that we count, and leaves out what it waits for other threads
    expect(last.pauseMs).toBeLessThan(1.3 * pauseMs + last.count);
  });
});
