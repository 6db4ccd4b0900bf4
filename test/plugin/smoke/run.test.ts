import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { smoke } from '../../../src/plugin/commands/smoke.ts';
import type { SmokeReport } from '../../../src/plugin/smoke/report.ts';
import { Apps } from './apps.ts';
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

const quick = ['--for', '2s', '--every', '200ms', '--warmup', '300ms'];
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
    const args = [String(busy), ...quick, '--max-utilization', '50%', '--artifacts', artifacts, '--profile', '300ms'];
    const { code, stdout } = await apps.run(smoke, [...args, '-o', 'json']);
    const report = JSON.parse(stdout) as SmokeReport;
    expect(code).toBe(1);
    expect(resultOf(report, 'max-utilization')).toMatchObject({ status: 'fail' });
    expect(resultOf(report, 'max-utilization')!.figure).toBeGreaterThan(0.5);
    const { files, problems } = report.subjects[0]!.evidence;
    expect(files.map((file) => file.startsWith(artifacts))).not.toContain(false);
    const stack = (await readdir(artifacts)).find((name) => name.endsWith('.stack.txt'));
    expect(await readFile(join(artifacts, stack!), 'utf8')).toContain('thread main');
    // a profile, or the reason why there is none
    expect(
      files.some((file) => file.endsWith('.cpu.pb.gz')) || problems.some((text) => text.includes('pprof-cpu')),
    ).toBe(true);
  });

  it('sees a loop that never returns', async () => {
    const blocked = await apps.start('blocked');
    await sleep(800);
    const { code, stdout } = await apps.run(smoke, [String(blocked), ...quick]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^FAIL {5}max-loop-delay-p99 /m);
    expect(stdout).toMatch(/^FAIL {5}max-utilization +100\.0%/m);
    await apps.kill(blocked);
  });

  it('sees handles grow, and garbage collection', async () => {
    const [opening, churning] = [await apps.start('opening'), await apps.start('churning')];
    const handles = ['--no-defaults', '--max-handle-growth', '5'];
    expect((await apps.run(smoke, [String(opening), ...quick, ...handles])).code).toBe(1);
    expect((await apps.run(smoke, [String(healthy), ...quick, ...handles])).code).toBe(0);
    const gc = ['--no-defaults', '--max-gc-share', '0%', '--max-gc-pause', '1us', '-o', 'json'];
    const report = JSON.parse((await apps.run(smoke, [String(churning), ...quick, ...gc])).stdout) as SmokeReport;
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
    const running = apps.run(smoke, [String(ended), '--for', '4s', '--every', '200ms', '--warmup', '0s']);
    await sleep(700);
    await apps.kill(ended);
    const { code, stdout } = await running;
    expect(code).toBe(2);
    expect(stdout).toContain('could not be checked');
    const gone = await apps.run(smoke, [String(ended), ...quick, '--junit', join(apps.directory, 'gone.xml')]);
    expect(gone.code).toBe(2);
    const suites = parseXml(await readFile(join(apps.directory, 'gone.xml'), 'utf8'));
    expect(suites.attributes).toMatchObject({ tests: '1', errors: '1', failures: '0' });
  });

  it('measures growth over forced collections, whose pauses it does not count', async () => {
    const leaking = await apps.start('leaking');
    const growing = ['--no-defaults', '--max-heap-growth', '50%', '--gcs', '5', '-o', 'json'];
    const args = ['--for', '4s', '--every', '400ms', '--warmup', '300ms', ...growing];
    const [leak, calmOne] = await Promise.all([
      apps.run(smoke, [String(leaking), ...args]),
      apps.run(smoke, [String(healthy), ...args, '--max-gc-share', '1%']),
    ]);
    expect(leak.code).toBe(1);
    expect(resultOf(JSON.parse(leak.stdout), 'max-heap-growth')!.figure).toBeGreaterThan(0.5);
    expect({ code: calmOne.code, stderr: calmOne.stderr.includes('could not') }).toEqual({ code: 0, stderr: false });
    await apps.kill(leaking);
  });

  it('checks versions by range', async () => {
    const versions = ['--no-defaults', '--node-version', '>=20', '--agent-version', '>=0.0.0'];
    expect((await apps.run(smoke, [String(healthy), ...quick, ...versions])).code).toBe(0);
    const { code, stdout } = await apps.run(smoke, [
      String(healthy),
      ...quick,
      '--no-defaults',
      '--node-version',
      '<20',
    ]);
    expect(code).toBe(1);
    expect(stdout).toContain(process.version);
  });

  it('writes a baseline from a run that passes, and fails one that became worse', async () => {
    const file = join(apps.directory, 'baseline.json');
    const passed = await apps.run(smoke, [String(healthy), ...quick, ...calm, '--save-baseline', file]);
    expect(passed.code).toBe(0);
    const same = await apps.run(smoke, [String(healthy), ...quick, ...calm, '--baseline', file, '--tolerance', '500%']);
    expect(same.code).toBe(0);
    expect(same.stdout).toContain('baseline max-heap-used');
    const worse = await apps.run(smoke, [String(busy), ...quick, ...calm, '--baseline', file]);
    expect(worse.code).toBe(1);
    expect(worse.stdout).toMatch(/^FAIL {5}baseline max-utilization/m);
    const before = await readFile(file, 'utf8');
    const failed = await apps.run(smoke, [String(busy), ...quick, '--max-utilization', '1%', '--save-baseline', file]);
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
  });

  it('a checks file', async () => {
    const file = join(apps.directory, 'checks.yaml');
    await writeFile(file, 'checks:\n  max-heap-usde: 80%\n');
    expect(await refused(['--checks', file])).toContain(
      `${file}:2:3: unknown check 'max-heap-usde'; did you mean 'max-heap-used'?`,
    );
  });
});
