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
/** Ends after a while; the first time it is restarted at once. */
const crashing = "require('node:http').createServer(() => {}).listen(3000); setTimeout(() => process.exit(3), 10_000)";

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
    // on a busy machine a figure may go unsampled, which is 2
    const { code, stdout } = await vi.waitFor(
      async () => {
        const run = await smoke(['-l', 'tier=calm', ...calm, '--checks', file, '-o', 'json']);
        expect(run.code, run.stderr).not.toBe(2);
        return run;
      },
      { timeout: 60_000, interval: 300 },
    );
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
    const artifacts = join(await mkdtemp(join(directory, 'blocked-')), 'evidence');
    const { code, stdout } = await smoke(['pod/blocked-0', '--artifacts', artifacts, '--profile', '300ms']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^FAIL {5}max-loop-delay-p99 .* pod\/blocked-0 app\/\d+$/m);
    const name = (await readdir(artifacts)).find((each) => each.endsWith('.stack.txt'));
    expect(stdout).toContain(name);
    expect(await readFile(join(artifacts, name!), 'utf8')).toContain('innermost');
  });

  it('counts a restart during the run', async () => {
    const name = `crashing-${Date.now()}`;
    await bed.create(pod(name, [container(bed, { script: crashing })]));
    await bed.answering(1, name);
    const args = [
      `pod/${name}`,
      '--for',
      '30s',
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
    await bed.kubectl(['delete', 'pod', name, '--wait=false']);
  }, 120_000);

  it('fails pods that go during the run, and names those that come', async () => {
    const labels = { tier: 'rollout' };
    // says so when somebody watches its event loop
    const script = `${healthy}; const looking = setInterval(() => {
      if (!process[Symbol.for('nodeops.watches')]) return;
      clearInterval(looking);
      console.log('watched');
    }, 20);`;
    const one = (name: string) => pod(name, [container(bed, { script })], {}, labels);
    await bed.create(one('rollout-0'), one('rollout-1'));
    await bed.ready('rollout-0', 'rollout-1');
    await vi.waitFor(
      async () => {
        const { stdout } = await bed.nodeops(['version', '-l', 'tier=rollout', '-o', 'name']);
        expect(stdout.split('\n').filter(Boolean)).toHaveLength(2);
      },
      { timeout: 60_000, interval: 300 },
    );
    const args = ['smoke', '-l', 'tier=rollout', ...calm, '--for', '15s', '--every', '500ms', '--warmup', '0s'];
    const running = bed.nodeops([...args, '-o', 'wide'], { timeoutMs: 120_000 });
    await vi.waitFor(async () => expect((await bed.kubectl(['logs', 'rollout-0'])).stdout).toContain('watched'), {
      timeout: 60_000,
      interval: 100,
    });
    await bed.kubectl(['delete', 'pod', 'rollout-0', '--grace-period=1'], { timeoutMs: 60_000 });
    await bed.create(one('rollout-2'));
    const { code, stdout, stderr } = await running;
    expect(stdout).toMatch(/^FAIL +max-exits +1 .*pod\/rollout-0 /m);
    expect(stdout).toMatch(/^pass +max-exits +0 .*pod\/rollout-1 /m);
    expect(stderr).toMatch(/^note: not sampled, as they came during the run: pod\/rollout-2/m);
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
