/** When rules fire and when they do not, in real processes: held, counted, after restarts, with no room, on a loop that does not turn. */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { ask, bed, eventually, fresh, nodeOf, program, start, useBed } from '../bed.ts';
import { capturedIn, firingsIn, folderIn, triggersOf, writeFirings } from './store.ts';

useBed();
let volume = '';
beforeEach(async () => {
  await fresh();
  volume = join(bed.configDir, 'artifacts');
});

const patienceMs = 60_000;
const idle = `setInterval(() => {}, 1000); console.log('up');`;
const env = (...rules: string[]) => ({ NODEOPS_ARTIFACTS_DIR: volume, NODEOPS_TRIGGERS: rules.join('\n') });
/** Fires each second in which its condition is true: by it is seen that the other rules were looked at. */
const eachSecond = (condition: string) => `when ${condition} capture stack, at most 999 an hour, cool-down 0s`;
const always = eachSecond('rss > 1MB');
const fired = (rule: string) => firingsIn(volume, rule).length;

it('a condition has to hold without a break', { timeout: 3 * patienceMs }, async () => {
  const held = 'when utilization > 80% for 6s capture stack, cool-down 0s';
  const once = eachSecond('utilization > 80%');
  const app = start(
    program(
      'phases.cjs',
      `let busy = true, forGood = false;
      setInterval(() => { busy = !busy || forGood; }, 2000);
      const turn = () => { if (busy) { const end = Date.now() + 20; while (Date.now() < end); setImmediate(turn); } else setTimeout(turn, 20); };
      turn();
      process.stdin.once('data', () => { forGood = true; });
      console.log('up');`,
    ),
    { env: env(held, once), stdin: 'pipe' },
  );
  await app.says('up');
  await eventually(() => {
    const times = firingsIn(volume, once);
    expect(times.at(-1)! - times[0]!).toBeGreaterThan(14_000);
  }, patienceMs);
  expect(fired(held)).toBe(0);
  app.child.stdin!.write('go on\n');
  await eventually(() => expect(fired(held)).toBeGreaterThan(0), patienceMs);
  expect(app.output()).toBe('up\n');
});

it('a rule fires at most so often an hour', { timeout: 2 * patienceMs }, async () => {
  const twice = 'when rss > 1MB capture stack, at most 2 an hour, cool-down 0s';
  const never = 'when rss > 1MB capture stack, at most 0 an hour';
  const app = start(program('idle.cjs', idle), { env: env(twice, never, always) });
  await app.says('up');
  await eventually(() => expect(fired(always)).toBeGreaterThan(3), patienceMs);
  expect([fired(twice), fired(never)]).toEqual([2, 0]);
  expect(app.output()).toBe('up\n');
});

it.each([
  ['an hour ago', -3_601_000, 1],
  ['half an hour ago', -1_800_000, 0],
  ['tomorrow, by a clock that was set back since', 86_400_000, 1],
])('a rule that fired %s', { timeout: 2 * patienceMs }, async (_, ago, times) => {
  const rule = 'when rss > 1MB capture report, at most 1 an hour, cool-down 0s';
  const before = Date.now() + ago;
  writeFirings(volume, { [rule]: [before] });
  const app = start(program('idle.cjs', idle), { env: env(rule, always) });
  await app.says('up');
  await eventually(() => expect(fired(always)).toBeGreaterThan(2), patienceMs);
  expect(firingsIn(volume, rule).filter((at) => at !== before)).toHaveLength(times);
});

it('a cool-down outlives the container', { timeout: 3 * patienceMs }, async (context) => {
  if (process.getuid?.() !== 0) context.skip('a pid namespace of its own takes root');
  const rule = 'when rss > 1MB capture report, cool-down 1h';
  const script = program('idle.cjs', idle);
  for (const container of [1, 2]) {
    const within = ['unshare', '-p', '-f', '--mount-proc', '--kill-child'];
    const app = start(script, { within, env: { ...env(rule, always), NODEOPS_CONTAINER: 'app' } });
    await app.says('up');
    const before = fired(always);
    await eventually(() => expect(fired(always)).toBeGreaterThan(before + 2), patienceMs);
    expect({ container, fired: fired(rule) }).toEqual({ container, fired: 1 });
    expect((await triggersOf())?.rules[0]).toMatchObject({ rule, firedAt: expect.any(String) });
    app.child.kill('SIGKILL');
    await app.ended;
    await fresh();
  }
  expect(capturedIn(volume).filter((name) => name.includes('-rss-1.') && !name.endsWith('.stack.json'))).toHaveLength(
    1,
  );
});

describe('a store', () => {
  it('that cannot be written is told, the app is not disturbed, and rules go on when it can', {
    timeout: 3 * patienceMs,
  }, async () => {
    const app = start(program('idle.cjs', idle), { env: env(always) });
    await app.says('up');
    await eventually(() => expect(fired(always)).toBeGreaterThan(0), patienceMs);
    const aside = `${folderIn(volume)}.aside`;
    renameSync(folderIn(volume), aside);
    writeFileSync(folderIn(volume), 'in the way');
    const failed = expect.stringMatching(/^trigger 'when rss > 1MB .*' held, but its capture failed: /);
    await eventually(async () => expect((await ask('version')).body.notes).toContainEqual(failed), patienceMs);
    rmSync(folderIn(volume));
    renameSync(aside, folderIn(volume));
    await eventually(async () => expect((await triggersOf())?.errors).toEqual([]), patienceMs);
    expect(app.output()).toBe('up\n');
    expect(app.child.exitCode).toBeNull();
  });

  it('without room is told, and the cool-down holds', { timeout: 2 * patienceMs }, async () => {
    const rule = 'when rss > 1MB capture report, cool-down 1h';
    const app = start(program('idle.cjs', idle), {
      env: { ...env(rule, always), NODEOPS_ARTIFACTS_SIZE: '1Ki' },
    });
    await app.says('up');
    await eventually(() => expect(fired(always)).toBeGreaterThan(2), patienceMs);
    expect(fired(rule)).toBe(1);
    expect(capturedIn(volume).filter((name) => !name.endsWith('.stack.json'))).toEqual([]);
    expect((await triggersOf())?.errors).toContainEqual(expect.stringMatching(/capture report.*capture failed: /));
    expect(app.output()).toBe('up\n');
  });
});

describe.each([20, 26] as const)('on Node %i', (version) => {
  it('a loop that does not turn any more is captured', { timeout: 3 * patienceMs }, async () => {
    const rules = ['stack', 'pprof-cpu 1s'].map((what) => `when loopDelayMax > 1s for 1s capture ${what}`);
    const app = start(
      program(
        'endless.cjs',
        `console.log('up');
        function endless() { for (let i = 0; ; i++) if (i === -1) console.log(i); }
        setTimeout(endless, 1500);`,
      ),
      { node: nodeOf(version), env: env(...rules) },
    );
    await app.says('up');
    await eventually(() => expect(capturedIn(volume)).toHaveLength(2), patienceMs);
    const read = (ending: string) => {
      const name = capturedIn(volume).find((file) => file.endsWith(ending))!;
      return JSON.parse(readFileSync(join(folderIn(volume), name), 'utf8'));
    };
    expect(read('.stack.json').threads[0].frames[0].function).toBe('endless');
    expect(read('.cpuprofile').samples.length).toBeGreaterThan(5);
    expect((await triggersOf())?.errors).toEqual([]);
    expect(app.output()).toBe('up\n');
  });
});

it('a capture of a main thread in native code is given up, and the next rule has its turn', {
  timeout: 3 * patienceMs,
}, async () => {
  const profile = 'when loopDelayMax > 1s capture pprof-cpu 1s, cool-down 1h';
  const stack = 'when loopDelayMax > 1s capture stack, cool-down 1h';
  const app = start(
    program(
      'native.cjs',
      `console.log('up');
      // ends with the test, which holds the other end of stdin
      setTimeout(() => require('child_process').execFileSync('cat', { stdio: ['inherit', 'ignore', 'ignore'] }), 1500);`,
    ),
    { env: env(profile, stack), stdin: 'pipe' },
  );
  await app.says('up');
  await eventually(async () => {
    const { errors } = (await triggersOf())!;
    expect(errors).toEqual([expect.stringMatching(/pprof-cpu 1s.* capture failed: the thread is in native code/)]);
  }, patienceMs);
  await eventually(() => expect(capturedIn(volume)).toHaveLength(1), patienceMs);
  const kept = JSON.parse(readFileSync(join(folderIn(volume), capturedIn(volume)[0]!), 'utf8'));
  expect(kept.threads[0].state).toBe('native');
  expect(app.output()).toBe('up\n');
});
