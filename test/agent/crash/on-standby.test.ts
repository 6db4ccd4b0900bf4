/** Processes whose agents sleep: what is kept of them, by themselves and by the one that is awake. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { CrashRecord } from '../../../src/protocol/crash.ts';
import { type App, ask, bed, eventually, fresh, listed, nodeOf, program, start, useBed, versions } from '../bed.ts';

useBed();
let volume = '';
let awake: App;
const env = () => ({ NODEOPS_ARTIFACTS_DIR: volume, NODEOPS_CONTAINER: 'app', NODEOPS_SLEEP_AFTER_MS: '1000' });
const folder = () => join(volume, `nodeops-${process.getuid!()}`, 'crash');
const records = (): CrashRecord[] =>
  readdirSync(folder())
    .filter((name) => /^[^.].*-\d+\.json$/.test(name))
    .map((name) => JSON.parse(readFileSync(join(folder(), name), 'utf8')));
const boxes = (pid: number) =>
  readdirSync(folder()).filter((name) => name.startsWith('.box-') && name.includes(`-${pid}-`));

beforeEach(async () => {
  await fresh();
  volume = join(bed.configDir, 'artifacts');
  awake = start(program('awake.cjs', `setInterval(() => {}, 1000); console.log('up');`), { env: env() });
  await awake.says('up');
  await listed([awake.pid]);
});
/** A further process of the container; it sleeps from its start. */
function further(source: string, version: keyof typeof versions = 24, flags: string[] = []): App {
  return start(program('further.cjs', source), {
    node: nodeOf(version),
    flags: ['--require', bed.preload, ...flags],
    env: env(),
  });
}
async function keptOf(kind: string): Promise<CrashRecord> {
  return eventually(() => {
    const found = records().filter((record) => record.kind === kind);
    if (found.length !== 1) throw new Error(`kept are ${readdirSync(folder())}`);
    return found[0]!;
  }, 30_000);
}

describe.each(Object.keys(versions).map(Number) as (keyof typeof versions)[])(
  'a process that sleeps, on Node %i',
  (version) => {
    it('tells of its exception itself', async () => {
      const app = further(`setTimeout(() => { throw new RangeError('no seat'); }, 5000)`, version);
      expect((await app.ended).code).toBe(1);
      expect(records()).toMatchObject([
        { kind: 'uncaught-exception', error: { name: 'RangeError' }, process: { pid: app.pid } },
      ]);
      // the memory it had is added by the one that watches
      const { times, series } = await eventually(() => {
        const [{ history }] = records() as [CrashRecord];
        if (!history || history.times.length === 0) throw new Error('no history yet');
        return history;
      }, 20_000);
      expect(series.rssBytes.mean).toHaveLength(times.length);
      expect(series.rssBytes.mean[0]).toBeGreaterThan(10 * 1024 * 1024);
    });

    it('is woken when its heap runs short, and leaves what allocated', { timeout: 240_000 }, async () => {
      const old = 100;
      // short of its heap it grows no more until the end, however long the machine takes to keep what is asked for below
      const on = join(bed.dir, `on-${version}`);
      const app = further(
        `const [fs, v8, held] = [require('fs'), require('v8'), []];
       const isShort = () => v8.getHeapStatistics().used_heap_size > 0.8 * ${old} * 2 ** 20;
       function leakOrders() { for (let i = 0; i < 1000; i++) held.push({ order: i, lines: new Array(20).fill(i) }); }
       while (!isShort()) leakOrders();
       setInterval(() => { if (isShort() && !fs.existsSync('${on}')) held.splice(0, 1000); leakOrders(); }, 100);
       console.log('up');`,
        version,
        [`--max-old-space-size=${old}`],
      );
      const profile = await eventually(async () => {
        const near = await keptOf('near-heap-limit');
        expect(near.process.pid).toBe(app.pid);
        return readFileSync(join(folder(), near.heapProfile!.slice('crash/'.length)), 'utf8');
      }, 120_000);
      expect(profile).toContain('leakOrders');
      writeFileSync(on, '');
      await app.ended;
      expect(app.output()).not.toMatch(/debugger|nodeops/i);
      // V8's own end is told by the one that is awake
      expect(await keptOf('killed')).toMatchObject({ process: { pid: app.pid } });
      expect(awake.child.exitCode).toBeNull();
    });
  },
);

describe('a process that sleeps', () => {
  const idle = `setInterval(() => {}, 1000); process.on('SIGTERM', () => process.exit(0)); console.log('up');`;
  const boxed = (app: App) =>
    eventually(() => {
      const [box] = boxes(app.pid);
      // by then it is certain that it was not ending when the box was written
      if (!box || Date.now() - statSync(join(folder(), box)).mtimeMs < 1_000) throw new Error('no black box yet');
    }, 20_000);

  it('that is killed is told of by the one that is awake, with its memory as the kernel showed it', {
    timeout: 60_000,
  }, async () => {
    const app = further(idle);
    await app.says('up');
    await boxed(app);
    app.child.kill('SIGKILL');
    await app.ended;
    const killed = await keptOf('killed');
    expect(killed.process.pid).toBe(app.pid);
    expect(killed.summary).toMatch(
      /^the process ended without a chance to say why, while its agent slept; when last seen its resident memory was [\d.]+MB/,
    );
    expect(killed.history!.series.rssBytes.mean[0]).toBeGreaterThan(10 * 1024 * 1024);
    expect(killed.history!.series.heapUsedBytes.mean[0]).toBeNull();
    expect(boxes(app.pid)).toEqual([]);
    expect((await ask(`artifacts?process=${awake.pid}`)).body.data.artifacts).toHaveLength(1);
  });

  it('that ends by itself leaves nothing', { timeout: 60_000 }, async () => {
    const app = further(idle);
    await app.says('up');
    await boxed(app);
    app.child.kill('SIGTERM');
    expect((await app.ended).code).toBe(0);
    expect(boxes(app.pid)).toEqual([]);
    // one that ends after it, and is told of, shows that it would have been noticed by now
    const other = further(idle);
    await other.says('up');
    await boxed(other);
    other.child.kill('SIGKILL');
    expect((await keptOf('killed')).process.pid).toBe(other.pid);
    expect(boxes(app.pid)).toEqual([]);
  });
});
