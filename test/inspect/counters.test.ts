import { once } from 'node:events';
import { beforeAll, describe, expect, test } from 'vitest';
import { inspectDirectory } from '../bed/bundles.ts';
import { App, majors, nodes } from './harness/app.ts';

let harness: string;
beforeAll(async () => {
  harness = await inspectDirectory();
});

const script = `
  const key = Symbol.for('nodeops.counters');
  const counters = globalThis[key];
  for (let i = 0; i < 50; i++) Array.from({ length: 50_000 }, (_, n) => ({ n }));
  gc();
  setTimeout(() => {
    const { enumerable } = Object.getOwnPropertyDescriptor(globalThis, key);
    console.log(JSON.stringify({ enumerable, ...counters.gc() }));
  }, 50);`;

async function run(node: string, args: string[]): Promise<App> {
  const app = new App(node, args, { harness });
  const [code] = await once(app.child, 'close', { signal: AbortSignal.timeout(50_000) });
  expect(code).toBe(0);
  expect(app.stderr).toBe('');
  return app;
}

describe.each(majors)('counters on Node %i', (major) => {
  test('count full collections, are not enumerable and do not keep the process alive', async () => {
    const { kinds, last, enumerable } = JSON.parse((await run(nodes[major], ['--expose-gc', '-e', script])).stdout);
    expect(kinds[4].count).toBeGreaterThanOrEqual(1);
    expect(kinds[4].maxPauseMs).toBeLessThanOrEqual(kinds[4].totalPauseMs);
    expect(last.pauseMs).toBeGreaterThan(0);
    expect(enumerable).toBe(false);
  });

  test('an app that does nothing ends at once and says nothing', async () => {
    expect((await run(nodes[major], ['-e', '0'])).stdout).toBe('');
  });
});
