/** `memstats` against the kernel, what the app holds, and the size at which V8 ends it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { oldSpaceLimit } from '../../src/inspect/heap-limit.ts';
import { inspectDirectory } from '../bed/bundles.ts';
import { App, majors, nodes } from '../inspect/harness/app.ts';

const script = join(new URL('./apps/', import.meta.url).pathname, 'memory.cjs');
const mega = 2 ** 20;
let harness: string;
const running: App[] = [];

beforeAll(async () => {
  harness = await inspectDirectory();
});
afterEach(async () => {
  for (const app of running.splice(0)) await app.kill();
});

/** V8's versions in Node 20, 22, 24, 26. */
const v8Versions = { 20: '11.3.244', 22: '12.4.254', 24: '13.6.233', 26: '14.6.202' } as const;

describe.each(majors)('on Node %i', (major) => {
  test('RSS is made of parts that add up, and hold what the app holds', async () => {
    const app = new App(nodes[major], [script, 'parts'], { harness, env: { MALLOC_ARENA_MAX: '2' } });
    running.push(app);
    await app.up();
    const { data } = await app.ask('memstats', { explain: true });
    const rss = Number(/^VmRSS:\s*(\d+)/m.exec(readFileSync(`/proc/${app.pid}/status`, 'utf8'))![1]) * 1024;
    const { totalBytes, agentBytes, allocator, ...parts } = data.resident!;
    const sum = Object.values(parts).reduce((all: number, bytes) => all + bytes!, 0);
    expect(sum).toBe(totalBytes);
    expect(Math.abs(sum / rss - 1)).toBeLessThan(0.05);
    // 60 MB and 9 MB of buffers, and what Node has of its own
    expect(parts.arrayBuffersBytes).toBeGreaterThan(68 * mega);
    expect(parts.arrayBuffersBytes).toBeLessThan(76 * mega);
    const heaps = data.heap!.physicalBytes + data.workers!.reduce((all, { usedBytes: bytes }) => all + bytes, 0);
    expect(parts.v8HeapBytes).toBeGreaterThan(heaps * 0.8);
    expect(parts.v8HeapBytes).toBeLessThan((heaps + agentBytes!) * 1.4);
    expect(allocator).toMatchObject({ name: 'glibc', arenaMax: '2' });
    expect(allocator.arenas).toBeGreaterThan(0);
    expect(parts.filesBytes).toBeGreaterThan(20 * mega);
    expect(data.peakRssBytes).toBeGreaterThanOrEqual(rss * 0.9);

    expect(data.workers).toMatchObject([{ name: 'cache' }]);
    expect(data.workers![0]!.usedBytes).toBeGreaterThan(15 * mega);
    expect((await app.ask('memstats')).data).not.toHaveProperty('resident');
  });

  test.each([['--max-old-space-size=64'], ['--max-old-space-size=96', '--max-semi-space-size=2']])(
    'the heap limit is the one V8 ends the process at: %s %s',
    async (...options) => {
      const child = spawn(nodes[major], [...options, script, 'heap'], { stdio: ['ignore', 'pipe', 'ignore'] });
      let said = '';
      child.stdout.on('data', (text) => {
        said += text;
      });
      await once(child, 'close');
      const [used, reservedBytes] = said.trim().split('\n').at(-1)!.split(' ').map(Number);
      const limit = oldSpaceLimit({ reservedBytes: reservedBytes!, options: options.join(' '), v8: v8Versions[major] });
      expect(used! / limit).toBeGreaterThan(0.85);
      expect(used! / limit).toBeLessThan(1.1);
    },
  );
});

/** `heap_size_limit` in MB as Node told it in a cgroup of so much memory, and the old generation that V8 makes of half of that, 256 MB at least. */
const told: readonly (readonly [number, keyof typeof v8Versions, number, number])[] = [
  ...([20, 22] as const).flatMap(
    (major) =>
      [
        [128, major, 259, 256],
        [512, major, 259, 256],
        [1024, major, 524, 512],
        [2048, major, 1048, 1024],
        [4096, major, 2096, 2048],
        [24_576, major, 4144, 4096],
      ] as const,
  ),
  ...([
    [128, 24, 259, 256],
    [1024, 24, 560, 512],
    [2048, 24, 1120, 1024],
    [4096, 24, 2240, 2048],
    [24_576, 24, 4288, 4096],
  ] as const),
  ...([
    [128, 26, 262, 256],
    [512, 26, 268, 256],
    [1024, 26, 536, 512],
    [2048, 26, 1072, 1024],
    [24_576, 26, 4192, 4096],
  ] as const),
];
test.each(told)('memory of %i MB on Node %i', (_, major, reserved, old) => {
  const limit = oldSpaceLimit({ reservedBytes: reserved * mega, options: '', v8: v8Versions[major] }) / mega;
  expect(Math.abs(limit / old - 1)).toBeLessThan(0.02);
});
