/** The size of a store with many processes that capture at once: looked at every few milliseconds, from outside. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { artifactSettings } from '../../../src/agent/settings/artifact-settings.ts';
import { exclusively } from '../../../src/agent/store/lock.ts';
import { filesIn } from '../../../src/agent/store/room.ts';
import { ask, bed, eventually, fresh, listed, program, start, useBed } from '../bed.ts';

const mib = 1024 * 1024;
const limitBytes = 48 * mib;
useBed();
let volume = '';
let mounted = false;
let disk: ReturnType<typeof watchDisk> | undefined;
beforeEach(async () => {
  await fresh();
  volume = join(bed.configDir, 'artifacts');
  mkdirSync(volume);
  // a disk of its own tells exactly, at one moment, what is taken of it
  mounted = process.getuid!() === 0;
  if (mounted) execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256m', 'tmpfs', volume]);
});
afterEach(async () => {
  await disk?.end();
  disk = undefined;
  for (const { child } of bed.apps) child.kill('SIGKILL');
  if (mounted) execFileSync('umount', ['-l', volume]);
});

/** Looks at the disk every millisecond, in a thread of its own. */
function watchDisk(): { most(): number; looks(): number; end(): Promise<number> } {
  const seen = new Float64Array(new SharedArrayBuffer(16));
  const source = `
    const { workerData: { path, seen } } = require('worker_threads');
    const { statfsSync } = require('fs');
    setInterval(() => {
      const { blocks, bfree, bsize } = statfsSync(path);
      seen[0] = Math.max(seen[0], (blocks - bfree) * bsize);
      seen[1]++;
    }, 1);`;
  const worker = new Worker(source, { eval: true, workerData: { path: volume, seen } });
  return { most: () => seen[0]!, looks: () => seen[1]!, end: () => worker.terminate() };
}

const app = (megabytes: number) => `
  const held = Array.from({ length: ${megabytes} * 2000 }, (_, i) => ({ i, text: 'order ' + i + 'x'.repeat(300) }));
  setInterval(() => held.length, 1000);
  process.on('uncaughtException', () => {});
  setTimeout(() => { throw new Error('of many'); }, 500);
  console.log('up');`;

it('never passes its size, whatever is under way', { timeout: 240_000 }, async () => {
  const env = {
    NODEOPS_ARTIFACTS_DIR: volume,
    NODEOPS_ARTIFACTS_SIZE: String(limitBytes),
    NODEOPS_SLEEP_AFTER_MS: '86400000',
  };
  disk = mounted ? watchDisk() : undefined;
  // a snapshot of the last one is larger than all that captures may take
  const apps = [start(program('app-0.cjs', app(2)), { env })];
  await listed([apps[0]!.pid]);
  for (let index = 1; index < 6; index++)
    apps.push(start(program(`app-${index}.cjs`, app(index < 5 ? 2 + index * 2 : 60)), { env }));
  // what builds its heap first is listed when its event loop turns
  await Promise.all(apps.map((one) => one.says('up')));
  await listed(apps.map(({ pid }) => pid));

  const ends: { state: string; bytes: number; error: { code: string; message: string } | null }[] = [];
  const capture = async (pid: number, name: string): Promise<void> => {
    const started = await ask(`${name}process=${pid}`, { method: 'POST' });
    if (started.status !== 201) return;
    const { id } = started.body.data;
    const job = await eventually(async () => {
      const { body } = await ask(`jobs/${id}?process=${pid}`);
      if (!body.data || body.data.state === 'running') throw new Error(`${name} of ${pid}: ${JSON.stringify(body)}`);
      return body.data;
    }, 150_000);
    ends.push(job);
  };
  let over = false;
  // what is reserved counts: in turn with the writers, for lengths change one after the other
  let most = 0;
  let looks = 0;
  const lengths = (async () => {
    while (!over) {
      try {
        const store = join(volume, `nodeops-${process.getuid!()}`);
        const folders = [store, join(store, 'crash'), join(store, 'triggers')];
        const bytes = exclusively(store, () => filesIn(folders).reduce((sum, file) => sum + file.bytes, 0));
        most = Math.max(most, bytes);
        looks++;
      } catch {
        // before the first capture there is no store
      }
      await sleep(5);
    }
  })();
  for (let round = 0; round < 2; round++)
    await Promise.all(
      apps.flatMap(({ pid }) => [
        capture(pid, 'heapsnapshot?force=true&'),
        capture(pid, 'report?'),
        capture(pid, 'trace?duration=300&'),
      ]),
    );
  over = true;
  await lengths;
  await disk?.end();

  expect(looks).toBeGreaterThan(50);
  expect(most).toBeLessThanOrEqual(limitBytes);
  // captures have what records of crashes leave of it, and they came close
  expect(most).toBeGreaterThan(artifactSettings(env).limitBytes * 0.8);
  if (disk) {
    expect(disk.looks()).toBeGreaterThan(100);
    expect(disk.most()).toBeLessThanOrEqual(limitBytes);
    const { blocks, bfree, bsize } = statfsSync(volume);
    expect((blocks - bfree) * bsize).toBeLessThanOrEqual(limitBytes);
  }
  expect(ends.some(({ state }) => state === 'finished')).toBe(true);
  // with so much under way, a main thread may not come to what is asked of it in time
  const refused = ends.flatMap(({ state, error }) => (state === 'failed' && error!.code !== 'stuck' ? [error!] : []));
  expect(refused.length).toBeGreaterThan(0);
  for (const { code, message } of refused) {
    expect(code).toBe('no-space');
    expect(message).toMatch(/^captures may take 36\.0MB in .*: nothing of this one is kept$/);
  }
  const crash = readdirSync(join(volume, `nodeops-${process.getuid!()}`, 'crash'));
  expect(crash.filter((name) => /-uncaught-exception-\d+\.json$/.test(name))).toHaveLength(apps.length);
  expect(apps.map(({ child }) => child.exitCode)).toEqual(apps.map(() => null));
  expect(apps.map((one) => one.output())).toEqual(apps.map(() => 'up\n'));
});
