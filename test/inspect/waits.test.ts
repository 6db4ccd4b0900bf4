import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { waitsText } from '../../src/protocol/text/waits.ts';
import type { Wait, WaitKind } from '../../src/protocol/waits.ts';
import { inspectDirectory } from '../bed/bundles.ts';
import { App, apps, majors, nodes } from './harness/app.ts';
import { lineOf } from './harness/lines.ts';

const file = join(apps, 'waits.cjs');
let harness: string;
const directory = mkdtempSync(join(tmpdir(), 'nodeops-waits-'));
let app: App | undefined;
let writer: number;
const fifo = () => join(directory, 'fifo');

beforeAll(async () => {
  harness = await inspectDirectory();
  execFileSync('mkfifo', [fifo()]);
  // a writer that writes nothing: the read of the fifo waits
  writer = openSync(fifo(), 'r+');
});
afterEach(async () => {
  await app?.kill();
  expect(app?.stderr).toBe('');
});
afterAll(() => {
  closeSync(writer);
  rmSync(directory, { recursive: true });
});

const of = <K extends WaitKind>(waits: readonly Wait[], kind: K) =>
  waits.filter((wait): wait is Extract<Wait, { kind: K }> => wait.kind === kind);

describe.each(majors)('waits on Node %i', (major) => {
  test.each([['its loop waits'], ['its loop is blocked']])('lists one of everything while %s', async (state) => {
    app = await new App(nodes[major], [file, fifo()], { harness }).up();
    const port = (await app.said(/port (\d+)/))[1];
    const child = Number((await app.said(/child (\d+)/))[1]);
    if (state.includes('blocked')) await app.go();
    // Node 26 does not show its own readFile
    const expectedFiles = major < 26 ? 2 : 1;
    // what it began last may not be under way yet
    const { data, stuck } = await vi.waitFor(
      async () => {
        const reading = await app!.ask('waits');
        expect(of(reading.data.waits, 'fs')).toHaveLength(expectedFiles);
        expect(of(reading.data.waits, 'worker')).toHaveLength(1);
        return reading;
      },
      { timeout: 30_000 },
    );
    expect(stuck).toBeNull();
    const { waits } = data;

    expect(of(waits, 'server')).toMatchObject([{ address: `127.0.0.1:${port}`, connections: 1, created: null }]);
    const sockets = of(waits, 'socket').filter(({ remote }) => remote !== null);
    const [incoming, outgoing] = ['incoming', 'outgoing'].map((way) =>
      sockets.find(({ http }) => http?.direction === way),
    );
    expect(sockets).toHaveLength(2);
    expect(incoming).toMatchObject({ local: `127.0.0.1:${port}`, state: 'ESTABLISHED', tls: false, bytesWritten: 0 });
    expect(incoming?.bytesRead).toBeGreaterThan(50);
    expect(incoming?.http).toEqual({ direction: 'incoming', method: 'GET', path: '/orders/7', host: null });
    expect(outgoing).toMatchObject({ remote: incoming?.local, local: incoming?.remote, bytesRead: 0 });
    expect(outgoing?.http).toMatchObject({ method: 'GET', path: '/orders/7', host: '127.0.0.1' });

    const timers = of(waits, 'timer').toSorted((a, b) => a.periodMs - b.periodMs);
    expect(timers.map(({ repeats, periodMs }) => [repeats, periodMs])).toEqual([
      [false, 987_654],
      [true, 3_600_000],
    ]);
    expect(timers[0]?.remainingMs).toBeGreaterThan(900_000);
    expect(timers[0]?.remainingMs).toBeLessThanOrEqual(987_654);
    const at = (text: string) => ({ file, line: lineOf(file, text) });
    expect(timers.map(({ callback }) => callback)).toMatchObject([
      { function: 'onceLater', ...at('function onceLater') },
      { function: 'everyHour', ...at('function everyHour') },
    ]);

    expect(of(waits, 'process')).toMatchObject([{ pid: child, command: 'sleep 600' }]);
    expect(of(waits, 'worker')).toMatchObject([{ name: 'jobs' }]);
    expect(of(waits, 'udp')[0]?.address).toMatch(/^127\.0\.0\.1:\d+$/);
    if (major < 26)
      expect(of(waits, 'fs').find(({ path }) => path === fifo())?.callback).toMatchObject({
        function: 'readOrders',
        ...at('function readOrders'),
      });
    expect(data.counts).toMatchObject({ TCPServerWrap: 1, TCPSocketWrap: 2, Timeout: 2, ProcessWrap: 1, UDPWrap: 1 });
    expect(JSON.stringify(data)).not.toContain('secret');
    expect(waitsText(data).join('\n')).toMatch(
      /servers: 1\n {4}127\.0\.0\.1:\d+, 1 connection\n\nsockets: \d\n[\s\S]*every 3600000 ms, in 59m\d\ds, calls everyHour \(/,
    );
  });

  test('of a process stuck in native code are its sockets, from the kernel', async () => {
    app = await new App(
      nodes[major],
      [
        '-e',
        `
      require('node:net').createServer().listen(0, '127.0.0.1', function () {
        require('node:fs').writeSync(1, 'port ' + this.address().port + '\\nup\\n');
        setTimeout(() => require('node:child_process').execSync('sleep 90'), 100);
      })`,
      ],
      { harness },
    ).up();
    const port = (await app.said(/port (\d+)/))[1];
    const { data, notes } = await vi.waitFor(
      async () => {
        const reading = await app!.ask('waits');
        expect(reading.stuck?.syscall).toMatch(/epoll/);
        return reading;
      },
      { timeout: 30_000 },
    );
    expect(of(data.waits, 'server').map(({ address }) => address)).toContain(`127.0.0.1:${port}`);
    expect(notes.join()).toContain('only sockets, child processes');
  });
});
