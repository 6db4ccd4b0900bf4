import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { Profile } from 'pprof-format';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { smoke } from '../../../../src/plugin/commands/smoke/command.ts';
import type { SmokeReport } from '../../../../src/plugin/commands/smoke/report.ts';
import { freePort } from '../../../bed/free-port.ts';
import { until } from '../../../bed/until.ts';
import { Apps } from './apps.ts';
import { type Between, between } from './between.ts';
import { parseXml } from './xml.ts';

let apps: Apps;
let healthy: number;
let busy: number;
beforeAll(async () => {
  apps = await Apps.open();
  healthy = await apps.start('healthy');
  busy = await apps.start('busy');
});
afterAll(() => apps?.close());

/** Long enough between two samples for a busy machine to take one. */
const quick = ['--for', '5s', '--every', '500ms', '--warmup', '300ms'];
/** What a machine that does other things besides must not fail. */
const calm = [
  '--max-loop-delay-p99',
  '10s',
  '--max-utilization',
  '1',
  '--max-gc-share',
  '100%',
  '--max-throttled',
  'off',
];

const portOf = async (pid: number) => Number(await readFile(join(apps.directory, String(pid)), 'utf8'));

/** The processes that the agent behind a port lists. */
async function listed(port: number): Promise<number[]> {
  const reply = await fetch(`http://127.0.0.1:${port}/v1/processes`, { headers: { 'x-nodeops': '1' } });
  const { data } = (await reply.json()) as { data: { processes: { pid: number }[] } };
  return data.processes.map(({ pid }) => pid);
}

/** A port before an agent's at which, in the middle of a run, something happens before the run goes on. */
async function inMidRun(agentPort: number, act: () => Promise<unknown>): Promise<Between> {
  let asked = 0;
  return between(agentPort, async (url) => {
    if (url.startsWith('/v1/stats') && ++asked === 6) await act();
  });
}

function resultOf(report: SmokeReport, check: string) {
  return report.subjects.flatMap(({ results }) => results).find((result) => result.check === check);
}

describe('smoke of real processes', () => {
  it('passes a healthy one with the standard checks it can make, and prints a report that fits the schema', async () => {
    const { code, stdout } = await apps.run(smoke, [String(healthy), ...quick, ...calm, '-o', 'json']);
    const report = JSON.parse(stdout) as SmokeReport;
    expect({ code, verdict: report.verdict }).toEqual({ code: 0, verdict: 'pass' });
    const schema = JSON.parse(await readFile('docs/schema/smoke-report.schema.json', 'utf8'));
    const validate = new Ajv2020({ allErrors: true, allowUnionTypes: true }).compile(schema);
    expect(validate(report) ? [] : validate.errors).toEqual([]);
    expect(report.subjects).toHaveLength(1);
    expect(report.subjects[0]).toMatchObject({ nodeVersion: process.version, failedPolls: 0 });
    expect(report.subjects[0]!.samples).toBeGreaterThanOrEqual(5);
    expect(resultOf(report, 'max-heap-used')).toMatchObject({ status: 'pass', unit: 'share' });
    expect(resultOf(report, 'max-restarts')).toMatchObject({ status: 'pass', figure: 0 });
  });

  it('fails a process whose loop is busy, with exit code 1 and its stack as evidence', async () => {
    const artifacts = join(await mkdtemp(join(apps.directory, 'evidence-')), 'new/folder');
    const args = [String(busy), ...quick, '--max-utilization', '50%', '--artifacts', artifacts, '--profile', '1s'];
    const { code, stdout } = await apps.run(smoke, [...args, '-o', 'json']);
    const report = JSON.parse(stdout) as SmokeReport;
    expect(code).toBe(1);
    expect(resultOf(report, 'max-utilization')).toMatchObject({ status: 'fail' });
    expect(resultOf(report, 'max-utilization')!.figure).toBeGreaterThan(0.5);
    const { files, problems } = report.subjects[0]!.evidence;
    expect(files.map((file) => file.startsWith(artifacts))).not.toContain(false);
    const stack = (await readdir(artifacts)).find((name) => name.endsWith('.stack.txt'));
    expect(await readFile(join(artifacts, stack!), 'utf8')).toContain('thread main');
    expect(problems).toEqual([]);
    const profile = files.find((file) => file.endsWith('.cpu.pb.gz'));
    const { sample } = Profile.decode(gunzipSync(await readFile(profile!)));
    const cpuMs = sample.reduce((sum, { value }) => sum + Number(value.at(-1)) / 1e6, 0);
    expect(cpuMs).toBeGreaterThan(100);
  });

  it('sees a loop that never returns', async () => {
    const blocked = await apps.start('blocked');
    await until(async () => (await readdir(apps.directory)).includes('blocked.cjs.on'));
    const { code, stdout } = await apps.run(smoke, [String(blocked), ...quick, '--for', '8s', '--every', '800ms']);
    expect(stdout).toMatch(/^FAIL {5}max-loop-delay-p99 /m);
    expect(stdout).toMatch(/^FAIL {5}max-utilization +100\.0%/m);
    expect(code).toBe(1);
    await apps.kill(blocked);
  });

  it('sees handles grow, and garbage collection', async () => {
    const [opening, churning] = [await apps.start('opening'), await apps.start('churning')];
    const handles = ['--no-defaults', '--max-handle-growth', '5'];
    const gc = ['--no-defaults', '--max-gc-share', '0%', '--max-gc-pause', '1us', '-o', 'json'];
    const [grown, same, churned] = await Promise.all([
      apps.run(smoke, [String(opening), ...quick, ...handles]),
      apps.run(smoke, [String(healthy), ...quick, ...handles]),
      apps.run(smoke, [String(churning), ...quick, ...gc]),
    ]);
    expect([grown.code, same.code]).toEqual([1, 0]);
    const report = JSON.parse(churned.stdout) as SmokeReport;
    expect(resultOf(report, 'max-gc-share')).toMatchObject({ status: 'fail' });
    expect(resultOf(report, 'max-gc-pause')).toMatchObject({ status: 'fail' });
  });

  it('says with exit code 2 what it could not check', async () => {
    const limited = await apps.run(smoke, [
      String(healthy),
      ...quick,
      '--no-defaults',
      '--max-restarts',
      '0',
      '--max-throttled',
      '5%',
      '-o',
      'json',
    ]);
    const throttled = resultOf(JSON.parse(limited.stdout), 'max-throttled')!;
    // on a machine with a quota it can be checked
    if (throttled.status === 'unknown') expect(limited.code).toBe(2);
    const ended = await apps.start('healthy');
    await apps.kill(ended);
    const gone = await apps.run(smoke, [String(ended), ...quick, '--junit', join(apps.directory, 'gone.xml')]);
    expect(gone.code).toBe(2);
    const suites = parseXml(await readFile(join(apps.directory, 'gone.xml'), 'utf8'));
    expect(suites.attributes).toMatchObject({ tests: '1', errors: '1', failures: '0' });
  });

  it('fails a process that ends during the run, however many samples it gave', async () => {
    const ended = await apps.start('healthy');
    const other = await inMidRun(await portOf(healthy), () => apps.kill(ended));
    const junit = join(apps.directory, 'ended.xml');
    const args = [`127.0.0.1:${other.port}`, String(ended), ...quick, ...calm, '--timeout', '60s', '--junit', junit];
    const { code, stdout } = await apps.run(smoke, [...args, '-o', 'json']);
    other.close();
    const { subjects } = JSON.parse(stdout) as SmokeReport;
    const exits = subjects.map(({ target, results }) => [
      target!.pid,
      results.find(({ check }) => check === 'max-exits')!.status,
    ]);
    expect(exits).toEqual([
      [healthy, 'pass'],
      [ended, 'fail'],
    ]);
    expect(code).toBe(1);
    expect(await readFile(junit, 'utf8')).toContain('<failure message="processes that ended during the run');
  });

  it('says which processes came during the run, and which of a pod are gone', async () => {
    const port = await freePort();
    const env = { NODEOPS_PORT: String(port) };
    const [leader, leaving] = [await apps.start('healthy', env), await apps.start('printing', env)];
    await until(async () => (await listed(port)).length === 2);
    let arrived = 0;
    const pod = await inMidRun(port, async () => {
      await apps.kill(leaving);
      arrived = await apps.start('opening', env);
      await until(async () => {
        const pids = await listed(port);
        return pids.includes(arrived) && !pids.includes(leaving);
      });
    });
    const args = [`127.0.0.1:${pod.port}`, ...quick, ...calm, '--timeout', '60s', '-o', 'wide'];
    const { code, stdout, stderr } = await apps.run(smoke, args);
    pod.close();
    expect(stdout).toMatch(new RegExp(`^FAIL +max-exits +1 .*\\b${leaving}$`, 'm'));
    expect(stdout).toMatch(new RegExp(`^pass +max-exits +0 .*\\b${leader}$`, 'm'));
    expect(stderr).toMatch(new RegExp(`^note: not sampled, as they came during the run: .*\\b${arrived}$`, 'm'));
    expect(code).toBe(1);
  });

  it('counts uncaught exceptions of an app that lives on, and says when an agent does not', async () => {
    const throwing = await apps.start('throwing');
    const older = await between(await portOf(throwing), (_, body) => void delete body.data?.errors);
    const file = join(apps.directory, 'uncaught.yaml');
    await writeFile(file, 'defaults: false\nchecks:\n  max-uncaught-exceptions: 100000\n');
    const [pid, port] = [String(throwing), `127.0.0.1:${older.port}`];
    const run = (...args: string[]) => apps.run(smoke, [...args, ...quick, '-o', 'json']);
    const ran = await Promise.all([
      run(pid, ...calm),
      run(pid, '--checks', file),
      run(port, ...calm),
      run(port, '--no-defaults', '--max-uncaught-exceptions', '0'),
    ]);
    older.close();
    await apps.kill(throwing);
    const [some, allowed, unasked, asked] = ran.map(
      ({ stdout }) => resultOf(JSON.parse(stdout), 'max-uncaught-exceptions')!,
    );
    expect(some).toMatchObject({ status: 'fail', unit: 'count', limit: '≤ 0' });
    expect(some!.figure).toBeGreaterThanOrEqual(2);
    expect(allowed).toMatchObject({ status: 'pass' });
    expect(unasked).toMatchObject({
      status: 'skip',
      message: 'not applicable: the agent is too old to count uncaught exceptions',
    });
    expect(asked).toMatchObject({ status: 'unknown' });
    expect([ran[0].code, ran[1].code, ran[3].code]).toEqual([1, 0, 2]);
  });

  it('measures growth over forced collections, whose pauses it does not count', async () => {
    const leaking = await apps.start('leaking');
    // twice the collections that it takes, for a machine on which each of them waits
    const growing = ['--no-defaults', '--max-heap-growth', '50%', '--gcs', '8', '-o', 'json'];
    const args = ['--for', '8s', '--every', '800ms', '--warmup', '300ms', ...growing];
    const [leak, calmOne] = await Promise.all([
      apps.run(smoke, [String(leaking), ...args]),
      apps.run(smoke, [String(healthy), ...args, '--max-gc-share', '1%']),
    ]);
    const growth = resultOf(JSON.parse(leak.stdout), 'max-heap-growth')!;
    expect(growth).toMatchObject({ status: 'fail' });
    expect(growth.figure).toBeGreaterThan(0.5);
    expect(leak.code).toBe(1);
    expect({ code: calmOne.code, stderr: calmOne.stderr.includes('could not') }).toEqual({ code: 0, stderr: false });
    await apps.kill(leaking);
  });

  it('checks versions by range', async () => {
    const check = (...versions: string[]) => apps.run(smoke, [String(healthy), ...quick, '--no-defaults', ...versions]);
    const [within, outside] = await Promise.all([
      check('--node-version', '>=20', '--agent-version', '>=0.0.0'),
      check('--node-version', '<20'),
    ]);
    expect([within.code, outside.code]).toEqual([0, 1]);
    expect(outside.stdout).toContain(process.version);
  });

  it('writes a baseline from a run that passes, and fails one that became worse', async () => {
    const file = join(apps.directory, 'baseline.json');
    const passed = await apps.run(smoke, [String(healthy), ...quick, ...calm, '--save-baseline', file]);
    expect(passed.code).toBe(0);
    // how far timers came late is the machine's at that moment
    const saved = JSON.parse(await readFile(file, 'utf8'));
    for (const figures of Object.values<Record<string, { value: number }>>(saved.groups)) {
      expect(figures['max-loop-delay-p99']!.value).toBeGreaterThanOrEqual(0);
      figures['max-loop-delay-p99']!.value = 3_600_000;
    }
    await writeFile(file, JSON.stringify(saved));
    const before = await readFile(file, 'utf8');
    const [same, worse, failed] = await Promise.all([
      apps.run(smoke, [String(healthy), ...quick, ...calm, '--baseline', file, '--tolerance', '500%']),
      apps.run(smoke, [String(busy), ...quick, ...calm, '--baseline', file]),
      apps.run(smoke, [String(busy), ...quick, '--max-utilization', '1%', '--save-baseline', file]),
    ]);
    expect(same.stdout).toContain('baseline max-heap-used');
    expect({ code: same.code, stdout: same.code === 0 ? '' : same.stdout }).toEqual({ code: 0, stdout: '' });
    expect(worse.code).toBe(1);
    expect(worse.stdout).toMatch(/^FAIL {5}baseline max-utilization/m);
    expect(failed.stderr).toContain('is not written');
    expect(await readFile(file, 'utf8')).toBe(before);
  });

  it('adds to the summary of a job and annotates, where GitHub runs it', async () => {
    const summary = join(apps.directory, 'summary.md');
    await writeFile(summary, 'before\n');
    const env = { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: summary };
    const { stdout, stderr } = await apps.run(smoke, [String(busy), ...quick, '--max-utilization', '1%'], env);
    expect(await readFile(summary, 'utf8')).toMatch(/^before\n### ❌ nodeops smoke: /);
    expect(stderr).toMatch(/^::error title=max-utilization%3A [^:,\n]+::share of time .*%25/m);
    expect(stdout).not.toContain('::error');
  });
});

describe('what cannot be meant is exit code 2 before anything is asked', () => {
  const refused = async (args: string[]) => {
    const result = await apps.run(smoke, [String(healthy), ...args]);
    expect({ code: result.code, stdout: result.stdout }).toEqual({ code: 2, stdout: '' });
    return result.stderr;
  };

  it('limits, times and files', async () => {
    expect(await refused(['--max-heap-used', 'much'])).toContain('--max-heap-used');
    expect(await refused(['--max-loop-delay-p99', '100'])).toContain('such as 100ms');
    expect(await refused(['--for', '3s', '--every', '1s'])).toContain('3 samples');
    expect(await refused(['--tolerance', '20'])).toContain('percentage');
    expect(await refused(['--junit', join(apps.directory, 'nowhere/x.xml')])).toContain('mkdir');
    expect(await refused(['--baseline', join(apps.directory, 'none.json')])).toContain('--save-baseline');
    await writeFile(join(apps.directory, 'wrong.json'), '{"kind":"SmokeBaseline","groups":{"a":{"b":{"value":"x"}}}}');
    expect(await refused(['--baseline', join(apps.directory, 'wrong.json')])).toContain('is no baseline');
    const baseline = async (part: object) => {
      const file = join(apps.directory, 'other.json');
      await writeFile(file, JSON.stringify({ schema: 'nodeops/v1', kind: 'SmokeBaseline', groups: {}, ...part }));
      return refused(['--baseline', file]);
    };
    const inUnit = { 'a/b': { 'max-rss': { value: 1, noise: 0, unit: 'pages', processes: 1 } } };
    expect(await baseline({ groups: inUnit })).toContain("'max-rss' of 'a/b' is in \"pages\", not bytes");
    expect(await baseline({ schema: 'nodeops/v0' })).toContain('of schema nodeops/v1, but of "nodeops/v0"');
    expect(await baseline({ groups: [] })).toContain('it has no groups');
    expect(await baseline({ groups: { 'a/b': null } })).toContain("'a/b' has no figures");
    if (process.platform === 'linux')
      expect(await refused(['--artifacts', '/proc/nodeops/x'])).toContain('cannot make');
  });

  it('a checks file', async () => {
    const file = join(apps.directory, 'checks.yaml');
    await writeFile(file, 'checks:\n  max-heap-usde: 80%\n');
    expect(await refused(['--checks', file])).toContain(
      `${file}:2:3: unknown check 'max-heap-usde'; did you mean 'max-heap-used'?`,
    );
  });
});
