/** A capture ends before memory does: real processes in a memory cgroup of their own. */
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { shortage } from '../../../src/inspect/captures/memory-left.ts';
import { type App, ask, bed, eventually, fresh, nodeOf, program, start, useBed } from '../bed.ts';

const mib = 1024 * 1024;

it('tells a shortage by what is left for handing over what was gathered', () => {
  const left = (bytes: number) => ({ leftBytes: bytes, limitBytes: 256 * mib, of: 'the memory limit of 256 MiB' });
  expect(shortage(left(170 * mib), left(170 * mib), 5)).toBeNull();
  expect(shortage(left(150 * mib), left(170 * mib), 5)).toBeNull();
  expect(shortage(left(130 * mib), left(170 * mib), 5)).toBe('the memory limit of 256 MiB has 130 MiB left');
  // what is handed over piece by piece
  expect(shortage(left(130 * mib), left(170 * mib), 0)).toBeNull();
  expect(shortage(left(20 * mib), left(20 * mib), 5)).toBe('the memory limit of 256 MiB has 20 MiB left');
});

/** cgroup v1 has a hierarchy of its own for memory; in v2 the controller must be handed down to a group of processes. */
const cgroup = (() => {
  for (const [root, limit] of [
    ['/sys/fs/cgroup/memory', 'memory.limit_in_bytes'],
    ['/sys/fs/cgroup', 'memory.max'],
  ] as const) {
    const directory = `${root}/nodeops-test-${process.pid}`;
    try {
      mkdirSync(directory);
      readFileSync(`${directory}/${limit}`);
      return { directory, limit };
    } catch {
      try {
        rmdirSync(directory);
      } catch {
        // it was not made
      }
    }
  }
  return undefined;
})();

// a mount of cgroups that may be written: root, and not in most containers
describe.skipIf(!cgroup)('in a memory cgroup', () => {
  useBed();
  beforeEach(fresh);
  const groups: string[] = [];
  let counted = 0;
  afterEach(async () => {
    for (const { child } of bed.apps) child.kill('SIGKILL');
    await Promise.all(bed.apps.map(({ ended }) => ended));
    for (const group of groups.splice(0)) await eventually(() => rmdirSync(group));
  });

  /** Many functions and deep stacks that vary: a CPU profile of it grows by megabytes a second. */
  const busy = `const fs = [];
    for (let i = 0; i < 3000; i++) fs.push(eval('(function f' + i + '(d, x) { if (d <= 0) { let s = 0; for (let j = 0; j < 200; j++) s += j * x; return s } return fs[(x * 7 + d * 13 + ' + i + ') % 3000](d - 1, x + 1) })'));
    let x = 0;
    setInterval(() => { const t = Date.now(); while (Date.now() - t < 18) fs[x % 3000](60, x++) }, 20);
    console.log('up');`;

  function limit(app: App, bytes: number): void {
    const group = `${cgroup!.directory}/${++counted}`;
    mkdirSync(group);
    groups.push(group);
    writeFileSync(`${group}/${cgroup!.limit}`, String(bytes));
    writeFileSync(`${group}/cgroup.procs`, String(app.pid));
  }
  const finished = (id: string) =>
    eventually(async () => {
      const { data } = (await ask(`jobs/${id}`)).body;
      if (data.state === 'running') throw new Error('running');
      return data;
    }, 90_000);

  it.each([20, 24] as const)('a CPU profile of Node %i ends early, keeps what it has and says so', async (version) => {
    const app = start(program('busy.cjs', busy), { node: nodeOf(version) });
    await app.says('up');
    limit(app, 192 * mib);
    await eventually(() => ask('version'));
    const { id } = (await ask('pprof-cpu?duration=40000&interval=200', { method: 'POST' })).body.data;
    const job = await finished(id);
    expect(app.child.signalCode, app.output()).toBeNull();
    expect(job).toMatchObject({ state: 'finished', stoppedEarly: true });
    expect(job.notes.join()).toMatch(/^ended early: the memory limit of 192 MiB has \d+ MiB left/);
    const profile = (await ask(`jobs/${id}/artifact`)).body;
    expect(profile.nodes.length).toBeGreaterThan(1_000);
  });

  it('nothing is begun where memory is short already', async () => {
    const app = start(
      program(
        'small.cjs',
        'globalThis.kept = Buffer.alloc(64 * 1024 * 1024, 1); setInterval(() => {}, 50); console.log("up")',
      ),
    );
    await app.says('up');
    await eventually(() => ask('version'));
    const rss = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${app.pid}/status`, 'utf8'))![1]) * 1024;
    // what it has by now is counted where it came from: what it takes from here on is counted here
    limit(app, 16 * mib);
    expect(rss).toBeGreaterThan(64 * mib);
    const { id } = (await ask('trace?duration=500', { method: 'POST' })).body.data;
    expect(await finished(id)).toMatchObject({ state: 'failed', error: { code: 'refused' } });
    expect(app.child.signalCode).toBeNull();
  });
});
