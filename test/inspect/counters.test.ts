import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildHarness, majors, nodes } from './harness/app.ts';

let harness: string;
beforeAll(async () => {
  harness = await buildHarness();
});
afterAll(() => rm(harness, { recursive: true }));

const script = `
  const key = Symbol.for('nodeops.counters');
  const counters = globalThis[key];
  const before = counters.gc();
  for (let i = 0; i < 50; i++) Array.from({ length: 50_000 }, (_, n) => ({ n }));
  gc();
  setTimeout(() => {
    const { kinds, last } = counters.gc();
    console.log(JSON.stringify({ listed: Object.keys(globalThis).length, kinds, last, symbols: Object.getOwnPropertyDescriptor(globalThis, key).enumerable }));
  }, 50);`;

describe.each(majors)('counters on Node %i', (major) => {
  test('count full collections, are not enumerable and do not keep the process alive', async () => {
    const { stdout, stderr } = await promisify(execFile)(
      nodes[major],
      ['--expose-gc', '--require', join(harness, 'preload.cjs'), '-e', script],
      { timeout: 10_000, env: {} },
    );
    const { kinds, last, symbols } = JSON.parse(stdout);
    expect(kinds[4].count).toBeGreaterThanOrEqual(1);
    expect(kinds[4].maxPauseMs).toBeLessThanOrEqual(kinds[4].totalPauseMs);
    expect(last.pauseMs).toBeGreaterThan(0);
    expect(symbols).toBe(false);
    expect(stderr).toBe('');
  });

  test('an app that does nothing ends at once and says nothing', async () => {
    const result = await promisify(execFile)(nodes[major], ['--require', join(harness, 'preload.cjs'), '-e', '0'], {
      timeout: 10_000,
      env: {},
    });
    expect(result).toEqual({ stdout: '', stderr: '' });
  });
});
