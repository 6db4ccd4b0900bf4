/** `waits` and `stack` of what Node does not list. */
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { waitsText } from '../../src/protocol/text/waits.ts';
import { inspectDirectory } from '../bed/bundles.ts';
import { App, majors, nodes } from '../inspect/harness/app.ts';

const script = join(new URL('./apps/', import.meta.url).pathname, 'waits.cjs');
let harness: string;
const running: App[] = [];

beforeAll(async () => {
  harness = await inspectDirectory();
});
afterEach(async () => {
  for (const app of running.splice(0)) await app.kill();
});

describe.each(majors)('on Node %i', (major) => {
  const start = async (mode: string): Promise<App> => {
    const app = new App(nodes[major], [script, mode], { harness });
    running.push(app);
    return app.up();
  };

  test.each(['pbkdf2', 'brotli'])('%s in the pool keeps a process from its end, and is listed', async (mode) => {
    const app = await start(mode);
    const { data } = await app.ask('waits');
    expect(data.counts.ThreadPoolWork).toBe(4);
    expect(data.exiting).toBe(false);
    const text = waitsText(data).join('\n');
    expect(text).toContain('4 × ThreadPoolWork, computing in a thread of the pool: crypto, zlib or an addon');
    expect(text).not.toContain('exit');
    const { pending } = (await app.ask('stack')).data;
    expect(pending).toContainEqual(expect.objectContaining({ type: 'ThreadPoolWork', count: 4 }));
  });

  test('queries of c-ares are listed by the server they ask', async () => {
    const { data } = await (await start('resolve')).ask('waits');
    expect(data.waits.filter(({ kind }) => kind === 'dns')).toMatchObject([
      { type: 'QueryReqWrap', hostname: expect.stringMatching(/^names asked of 127\.0\.0\.1:\d+$/) },
    ]);
  });

  test('a connection kept alive is told from one that is waited for', async () => {
    const { data } = await (await start('keepAlive')).ask('waits');
    const sockets = data.waits.flatMap((wait) => (wait.kind === 'socket' && wait.remote ? [wait] : []));
    expect(sockets.map(({ unlisted = false }) => unlisted).sort()).toEqual([false, true]);
    expect(data.counts.TCPSocketWrap).toBe(1);
  });

  test('the child of execSync is seen while nothing answers', async () => {
    const app = await start('execSync');
    const { data, stuck } = await vi.waitFor(
      async () => {
        const answer = await app.ask('waits');
        expect(answer.stuck).not.toBeNull();
        return answer;
      },
      { timeout: 20_000 },
    );
    expect(stuck).not.toBeNull();
    const children = data.waits.filter(({ kind }) => kind === 'process');
    expect(children).toMatchObject([{ command: expect.stringContaining('sleep 600'), ageMs: expect.any(Number) }]);
    expect(waitsText(data).join('\n')).not.toContain('exit');
  });

  test('that it is about to exit is said when it is', async () => {
    const { data } = await (await start('exit')).ask('waits');
    expect(data.exiting).toBe(true);
  });
});
