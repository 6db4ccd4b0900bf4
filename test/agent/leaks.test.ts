/** What is asked again and again leaves nothing behind in the app. */
import { readdirSync, readFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { beforeEach, expect, it } from 'vitest';
import { ask, bed, eventually, fresh, nodeOf, program, start, useBed, versions } from './bed.ts';

useBed();
beforeEach(fresh);

/** An app with worker threads, since sessions at them were what leaked: some 9 KB a request and thread, our own included. */
const workers = 4;
const app = `const { Worker } = require('node:worker_threads');
for (let i = 0; i < ${workers}; i++) new Worker('setInterval(() => {}, 1000)', { eval: true });
process.stdin.on('data', () => { gc(); console.log('collected'); });
console.log('up');`;
const asked = 600;
/** Half of what it was: heaps grow and shrink by some. */
const mayGrowBytes = (asked * (workers + 1) * 9 * 1024) / 2;

const cases = (Object.keys(versions).map(Number) as (keyof typeof versions)[]).flatMap((version) =>
  ['stats?window=0', 'stack'].map((operation) => [version, operation] as const),
);

it.each(cases)('Node %i: %s', async (version, operation) => {
  const flags = ['--expose-gc', '--require', bed.preload];
  const process = start(program('leak.cjs', app), { node: nodeOf(version), flags, stdin: 'pipe' });
  await eventually(() => ask('version'));
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const askOnce = () =>
    new Promise<number>((resolve, reject) => {
      const options = { host: '127.0.0.1', port: bed.port, path: `/v1/${operation}`, headers: { 'x-nodeops': '1' } };
      get({ ...options, agent }, (reply) => reply.resume().on('end', () => resolve(reply.statusCode!))).on(
        'error',
        reject,
      );
    });
  const many = async (count: number) => {
    for (let i = 0; i < count; i++) expect(await askOnce()).toBe(200);
  };
  const look = async () => {
    const before = process.output().length;
    process.child.stdin!.write('x');
    await eventually(() => expect(process.output().slice(before)).toContain('collected'));
    const status = readFileSync(`/proc/${process.pid}/status`, 'utf8');
    const rss = Number(/^VmRSS:\s+(\d+)/m.exec(status)![1]) * 1024;
    return { rss, open: readdirSync(`/proc/${process.pid}/fd`).length };
  };
  await many(300);
  const before = await look();
  await many(asked);
  const after = await look();
  agent.destroy();
  expect(after.rss - before.rss).toBeLessThan(mayGrowBytes);
  expect(after.open).toBeLessThanOrEqual(before.open);
});
