/** `stack` against what the app was made to do: a thread that works is never told idle, and is named by the app's own functions. */
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { inspectDirectory } from '../bed/bundles.ts';
import { App, majors, nodes } from '../inspect/harness/app.ts';

const app = join(new URL('./apps/', import.meta.url).pathname, 'between.cjs');
const patiently = { timeout: 40_000, interval: 50 };
let harness: string;
const running: App[] = [];

beforeAll(async () => {
  harness = await inspectDirectory();
});
afterEach(async () => {
  for (const app of running.splice(0)) await app.kill();
});

const start = async (node: string, mode: string): Promise<App> => {
  const started = new App(node, [app, mode], { harness });
  running.push(started);
  return started.up();
};

describe.each(majors)('on Node %i', (major) => {
  test.each([
    ['tiny', 'turn'],
    ['hash', 'hash'],
    ['deflate', 'deflate'],
  ])('turns of %s are work, also between callbacks', async (mode, name) => {
    const target = await start(nodes[major], mode);
    const states = new Set<string>();
    const names = async () => {
      const [main] = (await target.ask('stack')).data.threads;
      states.add(main!.state);
      expect(main!.busyShare).toBeGreaterThan(0.3);
      return main!.frames.map((frame) => frame.function);
    };
    await expect.poll(names, patiently).toContain(name);
    expect(states).not.toContain('idle');
  });

  test('a worker in Atomics.wait waits', async () => {
    const target = await start(nodes[major], 'sleeper');
    const worker = async () => {
      const { threads } = (await target.ask('stack')).data;
      const found = threads.find(({ name }) => name === 'sleeper');
      return [found?.state, found?.waitsIn, found?.frames[0]?.function];
    };
    await expect.poll(worker, patiently).toEqual(['waiting', 'futex', 'sleepForever']);
  });
});
