import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CrashRecord } from '../../../src/protocol/crash.ts';
import { type ControlGroup, ControlGroups } from '../../cluster/kubelet/cgroup.ts';
import { bed, eventually, fresh, listed, nodeOf, program, start, useBed, versions } from '../bed.ts';

const mib = 1024 * 1024;
const groups = new ControlGroups(`nodeops-memory-${process.pid}`);
useBed();
let volume = '';
let group: ControlGroup | undefined;
let number = 0;
beforeEach(async () => {
  await fresh();
  volume = join(bed.configDir, 'artifacts');
});
afterEach(() => group?.remove());
afterAll(() => groups.remove());

/** Starts an app in a memory cgroup, as one of a container's processes. */
function inGroup(name: string, source: string, version: keyof typeof versions = 24) {
  const join_ = group!.procs.map((file) => `echo $$ > ${file}`).join(' && ');
  return start(program(name, source), {
    node: nodeOf(version),
    within: ['sh', '-c', `${join_} && exec "$@"`, 'sh'],
    env: { NODEOPS_ARTIFACTS_DIR: volume, NODEOPS_CONTAINER: 'app' },
  });
}
const container = (memoryBytes: number) => {
  group = groups.create(`container-${++number}`, { memoryBytes, cpus: undefined });
};
const folder = () => join(volume, `nodeops-${process.getuid!()}`, 'crash');
const names = () => readdirSync(folder()).filter((name) => !name.startsWith('.'));
const records = (kind: string): CrashRecord[] =>
  names()
    .filter((name) => name.includes(`-${kind}-`) && /-\d+\.json$/.test(name))
    .map((name) => JSON.parse(readFileSync(join(folder(), name), 'utf8')));
const textOf = (name: string) => readFileSync(join(folder(), name.slice('crash/'.length)), 'utf8');

/** Memory outside of V8's heap, so much every 100 ms, up to a limit; and something on the heap, which is what a heap profile shows. */
const growing = (mibEach: number, mibMost = 1e9) => `
  const held = [];
  function holdUploads() {
    if (held.length * ${mibEach} < ${mibMost}) held.push({ upload: Buffer.alloc(${mibEach} * 1024 * 1024, 1), lines: Array.from({ length: 8000 }, Math.random) });
  }
  setInterval(holdUploads, 100); console.log('up');`;

// without a cgroup of its own a process has no limit that could be reached without harm to the machine
describe.runIf(groups.available)('memory outside of the heap, up to the limit of a real cgroup', () => {
  it.each(Object.keys(versions).map(Number) as (keyof typeof versions)[])(
    'leaves a record, the last minutes, a heap profile and a report before the kernel kills, on Node %i',
    { timeout: 90_000 },
    async (version) => {
      container(320 * mib);
      const app = inGroup('uploads.cjs', growing(2), version);
      expect(await app.ended).toEqual({ code: null, signal: 'SIGKILL' });
      expect(group!.oomKills()).toBeGreaterThan(0);
      expect(app.output()).toBe('up\n');
      const [near] = records('near-memory-limit');
      expect(near!.summary).toMatch(
        /(resident memory|the container's memory) is [\d.]+MB, \d+\.\d% of (the container's|its) limit of 320\.0MB/,
      );
      expect(near!.history!.memoryLimitBytes).toBe(320 * mib);
      expect(near!.history!.times.length).toBeGreaterThanOrEqual(2);
      expect(near!.memory!.heap!.arrayBuffersBytes).toBeGreaterThan(50 * mib);
      expect(textOf(near!.heapProfile!)).toContain('holdUploads');
      expect(JSON.parse(textOf(near!.report!)).header.processId).toBe(app.pid);
      // the next process finds what the kernel left no time to say
      await start(program('next.cjs', `setInterval(() => {}, 1000); console.log('up');`), {
        env: { NODEOPS_ARTIFACTS_DIR: volume, NODEOPS_CONTAINER: 'app' },
      }).says('up');
      const [killed] = await eventually(() => {
        if (records('killed').length === 0) throw new Error('not adopted yet');
        return records('killed');
      }, 20_000);
      expect(killed!.process.pid).toBe(app.pid);
      expect(killed!.summary).toMatch(/resident memory was [\d.]+MB, [\d.]+% of the container's limit of 320\.0MB/);
    },
  );

  it('leaves the record also when it grows by 500 MB a second', { timeout: 60_000 }, async () => {
    container(1_536 * mib);
    const app = inGroup('burst.cjs', `setTimeout(() => {${growing(50)}}, 3000)`);
    expect(await app.ended).toEqual({ code: null, signal: 'SIGKILL' });
    expect(records('near-memory-limit')).toMatchObject([{ process: { pid: app.pid } }]);
  });

  it('of many processes together is recorded once, by the largest, which is woken for it', {
    timeout: 90_000,
  }, async () => {
    container(640 * mib);
    const apps = [inGroup('keeper.cjs', growing(10, 60))];
    await listed([apps[0]!.pid]);
    for (const name of ['second.cjs', 'third.cjs']) apps.push(inGroup(name, growing(10, 60)));
    await listed(apps.map(({ pid }) => pid));
    const largest = inGroup('largest.cjs', growing(1));
    const [near] = await eventually(() => {
      const found = records('near-memory-limit').filter(({ report }) => report);
      if (found.length === 0) throw new Error(`kept are ${names()}`);
      return found;
    }, 60_000);
    expect(near!.process.pid).toBe(largest.pid);
    expect(near!.summary).toMatch(
      /^the container's memory is [\d.]+MB, .* of its limit of 640\.0MB; [\d.]+MB are resident here$/,
    );
    expect(textOf(near!.heapProfile!)).toContain('holdUploads');
    expect(records('near-memory-limit')).toHaveLength(1);
    // and once killed, it is told by the one that looked after it
    expect(await largest.ended).toEqual({ code: null, signal: 'SIGKILL' });
    const [killed] = await eventually(() => {
      if (records('killed').length === 0) throw new Error(`kept are ${names()}`);
      return records('killed');
    }, 30_000);
    expect(killed!.process.pid).toBe(largest.pid);
    expect(killed!.summary).toMatch(
      /while its agent slept; when last seen its resident memory was .*; since then the kernel has killed 1 of this container's processes for memory$/,
    );
    expect(apps.map(({ child }) => child.exitCode ?? child.signalCode)).toEqual([null, null, null]);
  });
});

it('is tested where this user may make memory cgroups', (context) => {
  if (!groups.available)
    context.skip('no memory cgroup can be made here: it needs root, and cgroups that are not read-only');
  expect(groups.directories.length).toBeGreaterThan(0);
});
