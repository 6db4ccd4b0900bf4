import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { Kept } from '../../../src/agent/crash/kept.ts';
import type { CrashRecord } from '../../../src/protocol/crash.ts';
import { ask, bed, eventually, fresh, nodeOf, program, start, useBed, versions } from '../bed.ts';

useBed();
let volume = '';
beforeEach(async () => {
  await fresh();
  volume = join(bed.configDir, 'artifacts');
});

const crashFolder = () => join(volume, `nodeops-${process.getuid!()}`, 'crash');
function records(): CrashRecord[] {
  return readdirSync(crashFolder())
    .filter((name) => name.endsWith('.json') && !name.startsWith('.'))
    .sort()
    .map((name) => JSON.parse(readFileSync(join(crashFolder(), name), 'utf8')));
}
const env = () => ({ NODEOPS_ARTIFACTS_DIR: volume, NODEOPS_CONTAINER: 'app' });

describe.each(Object.keys(versions).map(Number) as (keyof typeof versions)[])(
  'after the crash on Node %i',
  (version) => {
    const run = async (source: string, flags: string[] = []) => {
      const path = program('crash.cjs', source);
      const node = nodeOf(version);
      const plain = start(path, { node, flags });
      const plainEnd = await plain.ended;
      const watched = start(path, { node, flags: ['--require', bed.preload, ...flags], env: env() });
      const end = await watched.ended;
      return { plain: { ...plainEnd, output: plain.output() }, watched: { ...end, output: watched.output() } };
    };

    const alone = async (source: string, flags: string[]) => {
      const node = nodeOf(version);
      const app = start(program('alone.cjs', source), {
        node,
        flags: ['--require', bed.preload, ...flags],
        env: env(),
      });
      return { ...(await app.ended), output: app.output() };
    };

    it('an exception leaves a record, and output and exit code as they are', async () => {
      const { plain, watched } = await run(
        `setTimeout(function checkout() { throw Object.assign(new Error('no price; password=hunter2'), { code: 'E_PRICE' }); }, 1500)`,
      );
      expect(watched).toEqual(plain);
      const [record, ...more] = records();
      expect(more).toEqual([]);
      expect(record).toMatchObject({
        kind: 'uncaught-exception',
        handled: false,
        error: { name: 'Error', code: 'E_PRICE' },
        process: { container: 'app', name: 'crash.cjs' },
      });
      expect(record!.error!.stack).toContain('at Timeout.checkout');
      expect(JSON.stringify(record)).not.toContain('hunter2');
      expect(record!.history!.times.length).toBeGreaterThanOrEqual(1);
      expect(record!.memory!.heap!.usedBytes).toBeGreaterThan(1024 * 1024);
    });

    it('an unhandled rejection leaves a record; a handled one and a clean exit leave none', async () => {
      const rejected = await run(`setTimeout(() => Promise.reject(new TypeError('late')), 300)`);
      expect(rejected.watched).toEqual(rejected.plain);
      expect(records()).toMatchObject([{ kind: 'unhandled-rejection', error: { name: 'TypeError', message: 'late' } }]);
      const handled = await run(
        `process.on('unhandledRejection', () => {}); Promise.reject(new Error('x')); setTimeout(() => {}, 300)`,
      );
      expect(handled.watched).toEqual(handled.plain);
      expect(handled.watched.code).toBe(0);
      expect(records()).toHaveLength(1);
    });

    it('running out of heap leaves the record from before, with what allocated', async () => {
      const watched = await alone(
        `const held = [];
       function leakOrders() { for (let i = 0; i < 1000; i++) held.push({ order: i, lines: new Array(20).fill(i) }); }
       setInterval(leakOrders, 50);`,
        ['--max-old-space-size=80'],
      );
      expect(watched.signal ?? watched.code).toMatch(/SIGABRT|SIGTRAP|134/);
      expect(watched.output).not.toMatch(/Writing Node\.js report|debugger|nodeops/i);
      const [near] = records();
      expect(near).toMatchObject({ kind: 'near-heap-limit', error: null });
      expect(near!.summary).toMatch(/^the V8 heap is [\d.]+MB, \d+\.\d% of the heap limit/);
      expect(near!.history!.times.length).toBeGreaterThanOrEqual(2);
      expect(near!.memory!.spaces!.length).toBeGreaterThan(4);
      expect(near!.heapProfile).toMatch(/^crash\/.*\.heapprofile$/);
      const profile = readFileSync(join(crashFolder(), near!.heapProfile!.slice('crash/'.length)), 'utf8');
      expect(profile).toContain('leakOrders');
    });
  },
);

describe('what is kept', () => {
  const idle = `setInterval(() => {}, 1000); console.log('up');`;

  it('of a process killed without a word is found by the next agent', async () => {
    const first = start(program('idle.cjs', idle), { env: env() });
    await first.says('up');
    await eventually(() => {
      if (!readdirSync(crashFolder()).some((name) => name.startsWith('.box-'))) throw new Error('no black box yet');
    }, 30_000);
    first.child.kill('SIGKILL');
    await first.ended;
    expect(records()).toEqual([]);
    await start(program('idle.cjs', idle), { env: env() }).says('up');
    const listed = await eventually(async () => {
      const { body } = await ask('artifacts');
      if (body.data.artifacts.length !== 1) throw new Error('not adopted yet');
      return body.data;
    }, 30_000);
    expect(listed.artifacts[0].name).toMatch(new RegExp(`^crash/.*-killed-${first.pid}\\.json$`));
    expect(records()[0]!.history!.since).toBeDefined();
    const removed = await ask(`remove-artifact?name=${encodeURIComponent(listed.artifacts[0].name)}`, {
      method: 'POST',
    });
    expect(removed.body.data.removed).toBe(listed.artifacts[0].name);
    expect((await ask('artifacts')).body.data.artifacts).toEqual([]);
  });

  it('is nothing after a clean exit, and nothing outside the store can be named', async () => {
    const quick = start(program('quick.cjs', `setTimeout(() => {}, 2500)`), { env: env() });
    await quick.ended;
    expect(readdirSync(crashFolder())).toEqual([]);
    writeFileSync(join(volume, 'secret.txt'), 'x');
    await start(program('idle.cjs', idle), { env: env() }).says('up');
    for (const name of ['../../secret.txt', 'crash/../../secret.txt', 'crash/.box', '/etc/passwd', 'secret.txt'])
      expect((await eventually(() => ask(`artifacts/${name}`), 30_000)).status, name).toBe(404);
    expect(
      (await ask(`remove-artifact?name=${encodeURIComponent('crash/../../secret.txt')}`, { method: 'POST' })).status,
    ).toBe(404);
  });

  it('comes back after somebody has emptied the volume', () => {
    const kept = new Kept({ base: volume, limitBytes: 20_000 });
    rmSync(kept.directory, { recursive: true });
    expect(kept.list()).toEqual([]);
    kept.write('crash/20260101T000000.000Z-exit-1.json', 'x');
    expect(kept.list().map(({ name }) => name)).toEqual(['crash/20260101T000000.000Z-exit-1.json']);
    expect(kept.put('crash/.box-1', 'x')).toBe(true);
  });

  it('goes, the oldest first, when there is no more room', () => {
    mkdirSync(volume, { recursive: true });
    const kept = new Kept({ base: volume, limitBytes: 20_000 });
    for (const number of [1, 2, 3]) {
      kept.write(`crash/2026010${number}T000000.000Z-exit-1.json`, 'x'.repeat(7_000));
      const seconds = 1_700_000_000 + number;
      const path = join(kept.directory, `crash/2026010${number}T000000.000Z-exit-1.json`);
      expect(statSync(path).size).toBe(7_000);
      utimesSync(path, seconds, seconds);
    }
    expect(kept.list().map(({ name }) => name)).toEqual([
      'crash/20260103T000000.000Z-exit-1.json',
      'crash/20260102T000000.000Z-exit-1.json',
    ]);
    expect(() => kept.write('crash/huge.json', 'x'.repeat(30_000))).toThrow(/no room/);
    expect(readdirSync(join(kept.directory, 'crash')).filter((name) => name.endsWith('.part'))).toEqual([]);
  });
});
