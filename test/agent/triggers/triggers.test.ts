import { mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { ask, bed, eventually, fresh, listed, nodeOf, program, start, useBed } from '../bed.ts';
import { capturedIn, firingsIn, folderIn, triggersOf } from './store.ts';

useBed();
let volume = '';
beforeEach(async () => {
  await fresh();
  volume = join(bed.configDir, 'artifacts');
});

const idle = `setInterval(() => {}, 1000); console.log('up');`;
const blocking = `
  setInterval(function slowReport() { const end = Date.now() + 400; while (Date.now() < end); }, 700);
  console.log('up');`;
/** Fires each second, so that it shows that other rules were looked at, too. */
const witness = 'when rss > 1MB capture stack, at most 999 an hour, cool-down 0s';

// the oldest and the newest: how the figures are had differs
describe.each([20, 26] as const)('a trigger on Node %i', (version) => {
  it('captures what its rule names, once within its cool-down, restarts included', { timeout: 180_000 }, async () => {
    const rule = 'when loopDelayP99 > 150ms capture pprof-cpu 1s, at most 4 an hour, cool-down 1h';
    const env = { NODEOPS_ARTIFACTS_DIR: volume, NODEOPS_TRIGGERS: rule };
    const app = start(program('blocking.cjs', blocking), { node: nodeOf(version), env });
    await app.says('up');
    const name = await eventually(() => {
      const [first] = capturedIn(volume);
      if (!first) throw new Error(`nothing captured: ${app.output()}`);
      return first;
    }, 30_000);
    expect(name).toMatch(new RegExp(`-loopDelayP99-${app.pid}\\.cpuprofile$`));
    const profile = JSON.parse(readFileSync(join(folderIn(volume), name), 'utf8'));
    // V8's sampler files what is inlined under its caller, so that the function's own name may not be there
    expect(profile.samples.length).toBeGreaterThan(100);
    expect(profile.endTime - profile.startTime).toBeGreaterThan(900_000);
    const { body } = await ask('artifacts');
    expect(body.data.artifacts.map((file: { name: string }) => file.name)).toContain(`triggers/${name}`);
    expect(body.data.triggers).toEqual({
      rules: [{ rule, source: 'NODEOPS_TRIGGERS', firedAt: expect.stringMatching(/^20\d\d-.*Z$/) }],
      lasting: true,
      errors: [],
    });
    app.child.kill('SIGKILL');
    await app.ended;
    expect(app.output()).toBe('up\n');
    await fresh();
    const again = start(program('blocking.cjs', blocking), {
      node: nodeOf(version),
      env: { ...env, NODEOPS_TRIGGERS: `${rule}; ${witness}` },
    });
    await again.says('up');
    await eventually(() => expect(firingsIn(volume, witness).length).toBeGreaterThan(2), 30_000);
    expect((await ask('history')).body.data.loopDelay.p99Ms).toBeGreaterThan(150);
    await eventually(() => expect(firingsIn(volume, witness).length).toBeGreaterThan(4), 30_000);
    expect(firingsIn(volume, rule)).toHaveLength(1);
    expect(capturedIn(volume).filter((file) => !file.endsWith('.stack.json'))).toEqual([name]);
  });
});

describe('rules', () => {
  /** As a kubelet swaps the files of a ConfigMap. */
  function publish(directory: string, name: string, text: string): void {
    mkdirSync(join(directory, `..${name}`), { recursive: true });
    writeFileSync(join(directory, `..${name}`, 'triggers'), text);
    symlinkSync(`..${name}`, join(directory, '..data_tmp'));
    renameSync(join(directory, '..data_tmp'), join(directory, '..data'));
  }

  it('from a ConfigMap are read again when it changes, and what is wrong is told by version and artifacts', {
    timeout: 120_000,
  }, async () => {
    const directory = join(bed.configDir, 'rules');
    const file = join(directory, 'triggers');
    publish(directory, '1', 'when heapUsed > 80 parsecs capture pprof-heap\n');
    symlinkSync('..data/triggers', file);
    const app = start(program('idle.cjs', idle), {
      env: { NODEOPS_ARTIFACTS_DIR: volume, NODEOPS_TRIGGERS_FILE: file },
    });
    await app.says('up');
    const notes = () => ask('version').then(({ body }) => body.notes as string[]);
    const wrong = expect.stringMatching(/triggers, line 1: .*heapUsed is compared with a value such as 512MB/);
    await eventually(async () => expect(await notes()).toEqual([wrong]), 15_000);
    expect(await triggersOf()).toEqual({ rules: [], lasting: true, errors: [wrong] });
    expect((await ask('artifacts')).body.notes).toEqual([wrong]);
    publish(directory, '2', '# mended\nwhen rss > 1MB for 1s capture stack\n');
    await eventually(() => expect(capturedIn(volume)).toHaveLength(1), 30_000);
    expect(await notes()).toEqual([]);
    expect(await triggersOf()).toEqual({
      rules: [{ rule: 'when rss > 1MB for 1s capture stack', source: file, firedAt: expect.any(String) }],
      lasting: true,
      errors: [],
    });
    const stack = JSON.parse(readFileSync(join(folderIn(volume), capturedIn(volume)[0]!), 'utf8'));
    expect(stack.threads[0].thread).toBe('main');
    expect(app.output()).toBe('up\n');
  });

  it.each([
    ['without a directory', {}, ['NODEOPS_ARTIFACTS_DIR names no directory']],
    ['with a file in the place of one', { NODEOPS_ARTIFACTS_DIR: '/proc/version' }, ['names no directory']],
    ['without the recorder', { NODEOPS_RECORDER: 'off' }, ['so triggers are not evaluated', 'names no directory']],
  ])('say aloud that nothing is captured %s', async (_, env, errors) => {
    const app = start(program('idle.cjs', idle), { env: { NODEOPS_TRIGGERS: 'when cpu > 90% capture stack', ...env } });
    await app.says('up');
    const version = await eventually(() => ask('version'), 15_000);
    const said = errors.map((error) => expect.stringContaining(error));
    expect(version.body.notes).toEqual(expect.arrayContaining(said));
    expect((await triggersOf())?.errors).toEqual(said);
    expect(app.output()).toBe('up\n');
  });

  it('that were not given are null', async () => {
    await start(program('idle.cjs', idle), { env: { NODEOPS_ARTIFACTS_DIR: volume } }).says('up');
    expect(await eventually(() => triggersOf(), 15_000)).toBeNull();
  });

  it('of a process whose agent sleeps are in force while it is awake', async () => {
    const app = start(
      program(
        'cluster.cjs',
        `const cluster = require('cluster');
        if (cluster.isPrimary) cluster.fork();
        setInterval(() => {}, 1000);
        console.log('up', process.pid);`,
      ),
      { env: { NODEOPS_ARTIFACTS_DIR: volume, NODEOPS_TRIGGERS: 'when cpu > 900% capture stack' } },
    );
    await eventually(() => expect(app.output().match(/up/g)).toHaveLength(2), 15_000);
    const worker = [...app.output().matchAll(/up (\d+)/g)]
      .map(([, pid]) => Number(pid))
      .find((pid) => pid !== app.pid)!;
    await listed([app.pid, worker]);
    const rules = [{ firedAt: null }];
    await eventually(async () => expect(await triggersOf(app.pid)).toMatchObject({ rules, lasting: true }), 15_000);
    await eventually(async () => expect(await triggersOf(worker)).toMatchObject({ rules, lasting: false }), 15_000);
    app.child.kill('SIGTERM');
  });
});
