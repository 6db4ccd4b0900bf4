/** Pools of packages are found by what they look like, wherever an app keeps them. */
import { join } from 'node:path';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { inspectDirectory } from '../bed/bundles.ts';
import { App, apps, majors, nodes } from './harness/app.ts';

let harness: string;
let app: App | undefined;

beforeAll(async () => {
  harness = await inspectDirectory();
});
afterEach(async () => {
  await app?.kill();
  expect(app?.stderr).toBe('');
});

test.each(majors)('requests on Node %i tells used, idle, waiting and the most of each', async (major) => {
  app = await new App(nodes[major], [join(apps, 'pools.cjs')], { harness }).up();
  const { data } = await app.ask('requests', { window: 0 });
  const pools = data.pools.toSorted((a, b) => a.to.localeCompare(b.to));
  expect(pools).toEqual([
    { kind: 'pool', to: "GenericPool 'generic'", used: 2, idle: 0, queued: 9, limit: 2 },
    { kind: 'pool', to: "MysqlPool 'read'", used: 3, idle: 1, queued: 0, limit: 4 },
    { kind: 'pool', to: "Pool 'orders'", used: 10, idle: 0, queued: 7, limit: 10 },
    { kind: 'pool', to: "Tarn 'pool'", used: 3, idle: 0, queued: 5, limit: 3 },
  ]);
});
