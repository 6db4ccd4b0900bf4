/** A store on a disk that is full, and one that cannot be written: real file systems, which takes root. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ask, bed, eventually, fresh, program, start, useBed } from '../bed.ts';

const mib = 1024 * 1024;
const isRoot = process.getuid!() === 0;
useBed();
let volume = '';
let mounts: string[] = [];
beforeEach(async () => {
  await fresh();
  volume = join(bed.configDir, 'artifacts');
  mkdirSync(volume);
});
afterEach(() => {
  for (const { child } of bed.apps) child.kill('SIGKILL');
  for (const path of mounts.reverse()) execFileSync('umount', ['-l', path]);
  mounts = [];
});
function mount(path: string, ...args: string[]): void {
  execFileSync('mount', [...args, path]);
  mounts.push(path);
}
const files = () =>
  readdirSync(volume, { recursive: true, encoding: 'utf8' }).filter(
    (name) => statSync(join(volume, name)).isFile() && !name.includes('.turn'),
  );

/** Starts a capture and follows it to its end. */
async function capture(query: string, meanwhile: () => void = () => {}) {
  const started = await ask(query, { method: 'POST' });
  if (started.status !== 201) throw new Error(JSON.stringify(started.body));
  meanwhile();
  for (let job = started.body.data; ; job = (await ask(`jobs/${job.id}`)).body.data) {
    if (job.state !== 'running') return job;
    await sleep(50);
  }
}
const app = `
  const held = Array.from({ length: 30000 }, (_, i) => ({ i, text: 'order ' + i + 'x'.repeat(300) }));
  setInterval(() => held.length, 1000);
  process.on('SIGUSR2', () => { throw new Error('no change'); });
  console.log('up');`;

describe.runIf(isRoot)('a store on a disk of 16 MiB', () => {
  const fill = () => {
    for (const size of [mib, 64 * 1024, 4096]) {
      try {
        for (let part = 0; ; part++) writeFileSync(join(volume, `app-${size}-${part}`), Buffer.alloc(size));
      } catch {
        // not so many more of these
      }
    }
  };
  const free = () => execFileSync('sh', ['-c', `rm -f ${volume}/app-*`]);
  const env = () => ({ NODEOPS_ARTIFACTS_DIR: volume });

  it('says that it is full, keeps no half file, leaves the app alone, and serves again once there is room', {
    timeout: 60_000,
  }, async () => {
    mount(volume, '-t', 'tmpfs', '-o', 'size=16m', 'tmpfs');
    const running = start(program('full.cjs', app), { env: env() });
    await running.says('up');
    await eventually(() => ask('version'), 30_000);
    // larger than what is left to it
    const snapshot = await capture('heapsnapshot?force=true');
    expect(snapshot).toMatchObject({ state: 'failed', path: null, error: { code: 'no-space' } });
    expect(snapshot.error.message).toMatch(/disk under .* is almost full: nothing of this capture is kept$/);
    expect(snapshot.error.hint).toContain('artifact');
    // the disk fills up while it runs: the kernel says so
    const trace = await capture('trace?duration=1500', fill);
    expect(trace).toMatchObject({ state: 'failed', path: null, error: { code: 'no-space' } });
    expect(trace.error.message).toMatch(/disk under .* is full: nothing of this capture is kept$/);
    // what needs little is kept in memory, and says why
    const report = await capture('report');
    expect(report).toMatchObject({ state: 'finished', path: null });
    expect(report.notes).toContainEqual(expect.stringMatching(/kept in memory only.*disk is full/));
    expect(files().filter((name) => name.includes('nodeops') && !name.includes('/.box-'))).toEqual([]);

    free();
    const again = await capture('report');
    expect(again).toMatchObject({ state: 'finished', path: expect.stringContaining(volume), notes: [] });
    expect(running.output()).toBe('up\n');
    expect(running.child.exitCode).toBeNull();

    fill();
    running.child.kill('SIGUSR2');
    expect(await running.ended).toEqual({ code: 1, signal: null });
    expect(running.output()).toContain('Error: no change');
    expect(files().filter((name) => name.includes('crash/') && !name.includes('.box-'))).toEqual([]);
  });

  it('keeps nothing half-written of a crash where there is no room, and a whole record where there is', {
    timeout: 60_000,
  }, async () => {
    mount(volume, '-t', 'tmpfs', '-o', 'size=16m', 'tmpfs');
    const crash = program('crash.cjs', `setTimeout(() => { throw new Error('no stock'); }, 1500)`);
    fill();
    expect((await start(crash, { env: env() }).ended).code).toBe(1);
    expect(files().filter((name) => name.includes('crash/'))).toEqual([]);
    free();
    expect((await start(crash, { env: env() }).ended).code).toBe(1);
    expect(files()).toEqual([expect.stringMatching(/crash\/.*-uncaught-exception-\d+\.json$/)]);
  });
});

describe.runIf(isRoot)('where nothing can be written', () => {
  it('answers everything that needs no file, and captures in memory', { timeout: 120_000 }, async () => {
    const agent = join(bed.configDir, 'agent');
    mkdirSync(agent);
    for (const [from, to] of [
      [bed.dir, agent],
      [volume, volume],
    ] as const) {
      mount(to, '--bind', from);
      execFileSync('mount', ['-o', 'remount,ro,bind', to]);
    }
    expect(() => writeFileSync(join(agent, 'x'), '')).toThrow(/EROFS/);
    const running = start(program('read-only.cjs', app), {
      flags: ['--require', join(agent, 'preload.cjs')],
      env: { NODEOPS_ARTIFACTS_DIR: volume, NODEOPS_CONFIG_DIR: join(volume, 'config') },
    });
    await running.says('up');
    const version = await eventually(() => ask('version'), 30_000);
    expect(version.body.notes).toContainEqual(expect.stringMatching(/crash records cannot be kept in .*EROFS/));
    for (const operation of ['stats', 'memstats', 'stack', 'waits', 'process', 'processes'])
      expect((await ask(operation)).status, operation).toBe(200);
    const history = await eventually(async () => {
      const reply = await ask('history');
      if (reply.body.data.times.length === 0) throw new Error('too early');
      return reply;
    }, 30_000);
    expect(history.status).toBe(200);
    const kept = await ask('artifacts');
    expect(kept.body.data).toMatchObject({ directory: null, artifacts: [] });
    expect(kept.body.notes.join('\n')).toMatch(/EROFS/);
    for (const query of ['pprof-cpu?duration=200', 'pprof-heap?duration=200', 'trace?duration=300', 'report']) {
      const job = await capture(query);
      expect(job, query).toMatchObject({ state: 'finished', path: null, error: null });
      expect(job.notes, query).toContainEqual(
        expect.stringMatching(/kept in memory only.*EROFS.*fetch it while it runs/),
      );
      const artifact = await ask(`jobs/${job.id}/artifact`);
      expect(artifact.status, query).toBe(200);
      expect(JSON.stringify(artifact.body).length, query).toBeGreaterThan(100);
    }
    running.child.kill('SIGUSR2');
    expect(await running.ended).toEqual({ code: 1, signal: null });
    expect(running.output()).toMatch(/^up\n.*Error: no change/s);
    expect(readdirSync(volume)).toEqual([]);
  });
});

it('is tested where this user may mount file systems', (context) => {
  if (!isRoot) context.skip('no file system can be mounted here: it needs root');
  expect(isRoot).toBe(true);
});
