/** `requests` against what the app was made to have under way. */
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { RequestsReply } from '../../src/protocol/requests.ts';
import { requestsText } from '../../src/protocol/text/requests.ts';
import { inspectDirectory } from '../bed/bundles.ts';
import { App, majors, nodes } from '../inspect/harness/app.ts';

const script = join(new URL('./apps/', import.meta.url).pathname, 'requests.cjs');
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

const seen = ({ inFlight }: RequestsReply) =>
  inFlight
    .filter(({ path }) => !/^\/(quick|broken)/.test(path))
    .map(({ direction, by, method, path, route, state }) => [direction, by, method, path, route, state].join(' '))
    .sort();

describe.each(majors)('on Node %i', (major) => {
  test('requests under way in both directions, their states and ages, and what ends meanwhile', async () => {
    const app = new App(nodes[major], [script], { harness });
    running.push(app);
    await app.up();
    const wanted = [
      // the other server is in the same process
      'incoming http GET /first /first handling',
      'incoming http GET /orders/41 /orders/:id handling',
      'incoming http GET /orders/42 /orders/:id handling',
      'incoming http GET /orders/43 /orders/:id handling',
      'incoming http GET /partial /partial answering',
      'incoming http GET /stream /stream answering',
      'incoming http POST /fetched /fetched handling',
      'incoming http POST /upload /upload reading',
      ...(major >= 24 ? ['incoming http2 GET /two /two handling'] : []),
      'outgoing http GET /first /first waiting',
      'outgoing http GET /partial /partial receiving',
      'outgoing http GET /second /second queued',
      'outgoing undici POST /fetched /fetched waiting',
    ];
    const { data } = await app.ask('requests', { window: 600 });
    expect(seen(data)).toEqual(wanted);
    expect(JSON.stringify(data)).not.toContain('secret');
    const quick = data.routes.find(({ route }) => route === '/quick')!;
    expect(quick).toMatchObject({ direction: 'incoming', method: 'GET', failed: 0 });
    expect(quick.count).toBeGreaterThan(0);
    expect(quick.p50Ms).toBeGreaterThanOrEqual(18);
    const broken = data.routes.find(({ route }) => route === '/broken/:id')!;
    expect(broken.failed).toBe(broken.count);
    expect(data.pools).toContainEqual({
      ...{ kind: 'http.Agent', to: expect.stringMatching(/^127\.0\.0\.1:\d+$/), used: 1, idle: 0, queued: 1, limit: 1 },
    });
    expect(data.pools).toContainEqual(expect.objectContaining({ kind: 'undici', used: 1, queued: 0 }));
    const [oldest] = data.inFlight;
    expect(oldest).toMatchObject({ ageIsLeast: true });
    expect(oldest!.ageMs).toBeGreaterThan(500);

    // nobody listens any more, and the same are older by now
    const later = (await app.ask('requests', { window: 0 })).data;
    expect(later).toMatchObject({ windowMs: 0, routes: [] });
    expect(later.inFlight[0]!.ageMs).toBeGreaterThan(oldest!.ageMs!);

    await app.go();
    const blocked = await app.ask('requests', { window: 100 });
    expect(blocked.stuck).toBeNull();
    expect(seen(blocked.data)).toEqual(wanted);
  });
});

test('those alike share a line, the oldest first, and cut lists say how many more', () => {
  const request = { direction: 'incoming', by: 'http', method: 'GET', host: null, peer: '10.0.0.1:7' } as const;
  const text = requestsText({
    windowMs: 2_000,
    total: 4,
    inFlight: [
      { ...request, path: '/orders/1', route: '/orders/:id', state: 'handling', ageMs: 9_000, ageIsLeast: true },
      { ...request, path: '/orders/2', route: '/orders/:id', state: 'handling', ageMs: 50, ageIsLeast: false },
      { ...request, path: '/up', route: '/up', state: 'reading', ageMs: null, ageIsLeast: true },
    ],
    routes: [
      {
        ...{ direction: 'incoming', method: 'GET', host: null, route: '/x', count: 10, failed: 1 },
        p50Ms: 1,
        p99Ms: 2,
        maxMs: 3,
      },
    ],
    pools: [{ kind: 'undici', to: 'http://db', used: 2, idle: 1, queued: 3, limit: 2 }],
  });
  expect(text).toEqual([
    'in flight: 4',
    '    2 × in   GET /orders/:id, handling, oldest at least 9.00s',
    '    in   GET /up, reading, seen just now, from 10.0.0.1:7',
    '    1 more are not listed',
    '',
    'ended within 2.00s:',
    '    in   GET /x: 5.0/s, p50 1.0ms, p99 2.0ms, max 3.0ms, 1 of 10 failed',
    '',
    'outbound connections:',
    '    undici http://db: 2 used of 2, 1 idle, 3 queued',
  ]);
});
