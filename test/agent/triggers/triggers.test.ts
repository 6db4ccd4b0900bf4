import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { parseRule, parseRules } from '../../../src/agent/triggers/grammar.ts';
import { ask, bed, eventually, fresh, nodeOf, program, start, useBed, versions } from '../bed.ts';

useBed();
let volume = '';
beforeEach(async () => {
  await fresh();
  volume = join(bed.configDir, 'artifacts');
});
const folder = () => join(volume, `nodeops-${process.getuid!()}`, 'triggers');
const captured = () => readdirSync(folder()).filter((name) => !name.startsWith('.'));

const blocking = `
  setInterval(function slowReport() { const end = Date.now() + 400; while (Date.now() < end); }, 700);
  console.log('up');`;

describe.each(Object.keys(versions).map(Number) as (keyof typeof versions)[])('a trigger on Node %i', (version) => {
  it('captures what its rule names, once within its cool-down, restarts included', async () => {
    const rule = 'when loopDelayP99 > 150ms capture pprof-cpu 1s, at most 4 an hour, cool-down 1h';
    const env = { NODEOPS_ARTIFACTS_DIR: volume, NODEOPS_TRIGGERS: rule };
    const app = start(program('blocking.cjs', blocking), { node: nodeOf(version), env });
    await app.says('up');
    await eventually(() => {
      if (captured().length === 0) throw new Error(`nothing captured: ${app.output()}`);
    }, 12_000);
    const [name] = captured();
    expect(name).toMatch(new RegExp(`-loopDelayP99-${app.pid}\\.cpuprofile$`));
    const profile = JSON.parse(readFileSync(join(folder(), name!), 'utf8'));
    // V8's sampler files what is inlined under its caller, so that the function's own name may not be there
    expect(profile.samples.length).toBeGreaterThan(100);
    expect(profile.endTime - profile.startTime).toBeGreaterThan(900_000);
    const { body } = await ask('artifacts');
    expect(body.data.artifacts.map((file: { name: string }) => file.name)).toContain(`triggers/${name}`);
    app.child.kill('SIGKILL');
    await app.ended;
    expect(app.output()).toBe('up\n');
    await fresh();
    const again = start(program('blocking.cjs', blocking), { node: nodeOf(version), env });
    await again.says('up');
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    expect(captured()).toEqual([name]);
  });
});

describe('rules', () => {
  const idle = `setInterval(() => {}, 1000); console.log('up');`;

  it('from a file are read again when it changes, and what is wrong is told by version', async () => {
    const file = program('rules', 'when heapUsed > 80 parsecs capture pprof-heap\n');
    const app = start(program('idle.cjs', idle), {
      env: { NODEOPS_ARTIFACTS_DIR: volume, NODEOPS_TRIGGERS_FILE: file },
    });
    await app.says('up');
    const notes = () => ask('version').then(({ body }) => body.notes as string[]);
    await eventually(async () => {
      expect(await notes()).toEqual([
        expect.stringMatching(/rules, line 1: .*heapUsed is compared with a value such as 512MB/),
      ]);
    });
    writeFileSync(file, '# mended\nwhen rss > 1MB for 1s capture stack\n');
    await eventually(() => {
      if (captured().length !== 1) throw new Error('not captured yet');
    }, 12_000);
    expect(await notes()).toEqual([]);
    const stack = JSON.parse(readFileSync(join(folder(), captured()[0]!), 'utf8'));
    expect(stack.threads[0].thread).toBe('main');
    expect(app.output()).toBe('up\n');
  });

  it('say aloud that nothing is captured without a directory', async () => {
    await start(program('idle.cjs', idle), { env: { NODEOPS_TRIGGERS: 'when cpu > 90% capture stack' } }).says('up');
    const version = await eventually(() => ask('version'));
    expect(version.body.notes).toEqual([expect.stringContaining('NODEOPS_ARTIFACTS_DIR names no directory')]);
  });

  it('are read as they are written', () => {
    expect(
      parseRule('when heapUsed > 80% of limit for 30s capture pprof-heap 20s, at most 2 an hour, cool-down 10m'),
    ).toMatchObject({
      figure: 'heapUsed',
      below: false,
      value: 0.8,
      ofLimit: true,
      forMs: 30_000,
      capture: 'pprof-heap',
      captureMs: 20_000,
      anHour: 2,
      coolDownMs: 600_000,
    });
    expect(parseRule('when rss > 512MB capture report')).toMatchObject({ value: 512 * 1024 ** 2, forMs: 0, anHour: 4 });
    expect(parseRule('when cpu > 90% for 1m capture pprof-cpu')).toMatchObject({ value: 90, forMs: 60_000 });
    expect(parseRules('when cpu > 1% capture stack; when gc > 5% capture stack # why', 'x').rules).toHaveLength(2);
  });

  it.each([
    ['when heapUsed > 80% capture pprof-heap', /512MB, or 80% of limit/],
    ['when cpu > 80% of limit capture stack', /cpu has no limit/],
    ['when load > 3 capture stack', /no figure; there are heapUsed/],
    ['when cpu > 90% capture heapsnapshot', /cannot be captured by a trigger/],
    ['when cpu > 90% for ever capture stack', /no duration/],
    ['cpu > 90%', /a rule is 'when FIGURE/],
  ])('%s is refused with what it should be', (text, message) => {
    expect(() => parseRule(text)).toThrow(message);
  });
});
