import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Bed, openBed } from './bed.ts';
import { blocked, container, healthy, pod } from './pods.ts';

let bed: Bed;
let directory: string;

/** Containers of a pod share its ports. */
const waiting = 'setInterval(() => {}, 1000)';
/** Ends after a few seconds, again and again. */
const crashing = "require('node:http').createServer(() => {}).listen(3000); setTimeout(() => process.exit(3), 5000)";

beforeAll(async () => {
  bed = await openBed();
  directory = await mkdtemp(join(tmpdir(), 'nodeops-smoke-e2e-'));
  const labels = { tier: 'calm' };
  await bed.create(
    pod(
      'api-0',
      [container(bed, { name: 'web', script: healthy }), container(bed, { name: 'jobs', script: waiting })],
      {},
      labels,
    ),
    pod('api-1', [container(bed, { name: 'web', script: healthy })], {}, labels),
    pod('blocked-0', [container(bed, { script: blocked })]),
    pod('crashing-0', [container(bed, { script: crashing })]),
    pod('bare-0', [container(bed, { script: healthy, agent: false })]),
  );
  await bed.ready('api-0', 'api-1', 'blocked-0', 'bare-0');
  // a pod is ready when its process runs; its agent listens a moment later
  const patiently = { timeout: 60_000, interval: 300 };
  await vi.waitFor(async () => {
    const { stdout } = await bed.nodeops(['version', '-l', 'tier=calm', '--all-processes', '-o', 'name']);
    expect(stdout.split('\n').filter(Boolean)).toHaveLength(3);
  }, patiently);
  await vi.waitFor(async () => expect((await bed.nodeops(['version', 'blocked-0'])).code).toBe(0), patiently);
});
afterAll(async () => {
  await bed?.close();
  await rm(directory, { recursive: true, force: true });
});

const quick = ['--for', '3s', '--every', '300ms', '--warmup', '200ms'];
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
const smoke = (args: readonly string[]) => bed.nodeops(['smoke', ...args, ...quick], { timeoutMs: 60_000 });

describe('smoke of pods, through the real kubectl', () => {
  it('samples every process of a selection, by container as the file says', async () => {
    const file = join(directory, 'checks.yaml');
    await writeFile(file, 'containers:\n  jobs:\n    max-handles: 0\n    max-rss: off\n');
    const { code, stdout } = await smoke(['-l', 'tier=calm', ...calm, '--checks', file, '-o', 'json']);
    const report = JSON.parse(stdout);
    expect(code).toBe(1);
    const failed = report.subjects.filter(({ results }: { results: { status: string }[] }) =>
      results.some(({ status }) => status === 'fail'),
    );
    expect(report.subjects.map(({ name }: { name: string }) => name.replace(/\/\d+$/, ''))).toEqual(
      expect.arrayContaining(['pod/api-0 web', 'pod/api-0 jobs', 'pod/api-1 web']),
    );
    expect(failed.map(({ target }: { target: { container: string } }) => target.container)).toEqual(['jobs']);
  });

  it('fails a blocked loop and keeps the stack that blocks', async () => {
    const artifacts = join(directory, 'evidence');
    const { code, stdout } = await smoke(['pod/blocked-0', '--artifacts', artifacts, '--profile', '300ms']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^FAIL {5}max-loop-delay-p99 .* pod\/blocked-0 app\/\d+$/m);
    const name = (await readdir(artifacts)).find((each) => each.endsWith('.stack.txt'));
    expect(stdout).toContain(name);
    expect(await readFile(join(artifacts, name!), 'utf8')).toContain('innermost');
  });

  it('counts a restart during the run', async () => {
    const args = [
      'pod/crashing-0',
      '--for',
      '12s',
      '--every',
      '300ms',
      '--warmup',
      '0s',
      '--no-defaults',
      '--max-restarts',
      '0',
    ];
    const { code, stdout } = await bed.nodeops(['smoke', ...args], { timeoutMs: 90_000 });
    expect(stdout).toMatch(/^FAIL {5}max-restarts +[1-9]/m);
    expect(code).toBe(1);
  });

  it('ends with 2 where it cannot ask, and where there is nothing to ask', async () => {
    const bare = await smoke(['pod/bare-0']);
    expect(bare.code).toBe(2);
    expect(bare.stdout).toContain('nothing listens on port 8848');
    const nothing = await smoke(['-l', 'tier=none']);
    expect(nothing.code).toBe(2);
    expect(nothing.stderr).toContain('no running pod matches');
  });
});
