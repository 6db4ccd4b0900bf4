/** `exceptions` against what the app throws. */
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { exceptionsText } from '../../src/protocol/text/exceptions.ts';
import { inspectDirectory } from '../bed/bundles.ts';
import { App, majors, nodes } from '../inspect/harness/app.ts';
import { lineOf } from '../inspect/harness/lines.ts';

const script = join(new URL('./apps/', import.meta.url).pathname, 'exceptions.cjs');
let harness: string;
const running: App[] = [];

beforeAll(async () => {
  harness = await inspectDirectory();
});
afterEach(async () => {
  for (const app of running.splice(0)) {
    await app.kill();
    expect(app.stderr).toBe('');
  }
});

describe.each(majors)('on Node %i', (major) => {
  test('caught ones while they are looked at, by where, and the app goes on', async () => {
    const app = new App(nodes[major], [script], { harness });
    running.push(app);
    await app.up();
    const { data } = await app.ask('exceptions', { caught: true, window: 1_500 });
    const own = data.groups.filter(({ frames }) => frames[0]?.file === script);
    const kept = own.filter(({ origin }) => origin !== 'thrown');
    expect(kept.map(({ origin, name, count }) => [origin, name, count]).sort()).toEqual([
      ['rejection', 'Error', 2],
      ['uncaught', 'RangeError', 1],
    ]);
    expect(kept.find(({ name }) => name === 'RangeError')!.frames[0]).toMatchObject({
      ...{ function: expect.stringContaining('fail'), line: lineOf(script, 'throw new RangeError') },
    });
    expect(JSON.stringify(data)).toContain('no answer from postgres://');
    expect(JSON.stringify(data)).not.toContain('hunter2');
    const [group, ...others] = own.filter(({ origin }) => origin === 'thrown');
    expect(others).toEqual([]);
    expect(group).toMatchObject({
      origin: 'thrown',
      name: 'TypeError',
      message: expect.stringMatching(/^cannot parse 0\./),
    });
    expect(group!.frames.slice(0, 2)).toMatchObject([
      { function: 'parse', line: lineOf(script, 'throw new TypeError') },
      { function: 'attempt', line: lineOf(script, '    parse();') },
    ]);
    expect(group!.count).toBeGreaterThan(3);
    expect(data.watched!.seen).toBeGreaterThanOrEqual(group!.count);
    expect(data.watched!.seen).toBeLessThanOrEqual(100);

    const after = await app.ask('exceptions', { window: 2_000 });
    expect(after.data.watched).toBeNull();
    expect((await app.ask('stack')).data.threads[0]!.state).not.toBe('native');
  });
});

test('long lists end with how many more', () => {
  const group = {
    ...({ origin: 'uncaught', name: 'Error', message: 'x', count: 2 } as const),
    frames: Array.from({ length: 10 }, (_, line) => ({ function: 'f', file: '/a.js', line: line + 1, column: 1 })),
    firstAt: '2026-01-01T00:00:00.000Z',
    lastAt: '2026-01-01T00:00:30.000Z',
  };
  const text = exceptionsText(
    { since: null, groups: Array.from({ length: 25 }, () => group), watched: null },
    Date.parse('2026-01-01T00:01:00Z'),
  );
  expect(text[2]).toBe('2 × uncaught Error: x');
  expect(text[3]).toBe('    first 1m00s ago, last 30.00s ago');
  expect(text).toContain('    and 2 more frames');
  expect(text.at(-1)).toBe('and 5 more kinds');
});
