/** What got slower between two versions of a workload, asked of the pods themselves. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readProfile } from '../../src/formats/read.ts';
import { tooLargeToInline } from '../bed/too-large-to-inline.ts';
import { type Bed, openBed } from './bed.ts';
import { container, pod } from './pods.ts';

let bed: Bed;
let directory: string;
/** Does a round every 20 ms; one function of it does more in the second version. Each has a loop of its own to be seen in. */
const service = (prices: number) => `
  function price() { let x = 0; for (let i = 0; i < ${prices}; i++) x += Math.sqrt(i); ${tooLargeToInline} return x; }
  function render() { let x = 0; for (let i = 0; i < 2e5; i++) x += Math.cbrt(i); ${tooLargeToInline} return x; }
  setInterval(function round() { price(); render(); }, 20);
`;
const replicaSet = (name: string, script: string) => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: { name },
  spec: {
    replicas: 2,
    selector: { matchLabels: { version: name } },
    template: {
      metadata: { labels: { version: name, tier: 'diff' } },
      spec: (pod(name, [container(bed, { script })]) as { spec: object }).spec,
    },
  },
});

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nodeops-e2e-diff-'));
  bed = await openBed();
  await bed.create(replicaSet('api-1', service(1e5)), replicaSet('api-2', service(6e6)));
  await vi.waitFor(
    async () => {
      const { code, stdout } = await bed.nodeops(['version', '-l', 'tier=diff', '-o', 'name']);
      expect({ code, pods: stdout.trimEnd().split('\n').length }).toEqual({ code: 0, pods: 4 });
    },
    { timeout: 60_000, interval: 300 },
  );
});
afterAll(async () => {
  await bed?.close();
  await rm(directory, { recursive: true, force: true });
});

describe('diff of two ReplicaSets', () => {
  it('captures from all pods at once, merges each side, and shows what got slower', async () => {
    const path = join(await mkdtemp(join(directory, 'delta-')), 'delta.pb.gz');
    const { code, stdout, stderr } = await bed.nodeops(
      ['diff', 'rs/api-1', 'rs/api-2', '--duration', '2s', '--save', path],
      { timeoutMs: 60_000 },
    );
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^Base: rs\/api-1 \(2 processes, \d+\.\ds\)\nNew: rs\/api-2 \(2 processes, \d+\.\ds\)\n/);
    expect(stdout).toContain('Normalized by: duration');
    const worse = stdout.split('\n').filter((line) => /^ *\+/.test(line) && !line.includes('+flat%'));
    // what a busy machine adds of its own may come before it
    expect(worse.slice(0, 3).join('\n')).toMatch(/price|round/);
    const delta = readProfile(await readFile(path));
    const labels = new Map(delta.labelSets.flat().map((label) => [label.key, 'text' in label ? label.text : '']));
    expect([...labels.keys()]).toEqual(expect.arrayContaining(['namespace', 'pod', 'node', 'node_version', 'thread']));
    expect(labels.get('node')).not.toBe('');
  });

  it('by label selectors, as a document', async () => {
    const args = ['diff', 'version=api-1', 'version=api-2', '--duration', '1s', '--show', 'worse', '-o', 'json'];
    const { code, stdout, stderr } = await bed.nodeops(args, { timeoutMs: 60_000 });
    expect(code, stderr).toBe(0);
    const { base, functions } = JSON.parse(stdout);
    expect(base).toMatchObject({ name: 'version=api-1', processes: 2 });
    expect(functions.length).toBeGreaterThan(0);
  });

  it('says which side does not exist, and which do not fit in at the same time', async () => {
    const gone = await bed.nodeops(['diff', 'rs/api-1', 'rs/api-9']);
    expect({ code: gone.code, stdout: gone.stdout }).toEqual({ code: 1, stdout: '' });
    expect(gone.stderr).toContain("there is no replicaset 'api-9'");
    const { code, stderr } = await bed.nodeops(['diff', 'rs/api-1', 'rs/api-2', '--concurrency', '3']);
    expect(code).toBe(2);
    expect(stderr).toContain('--concurrency 4');
  });
});

describe('--diff-base', () => {
  it('compares a capture with a saved profile, whose pod and node are labels', async () => {
    const to = await mkdtemp(join(directory, 'saved-'));
    const first = await bed.nodeops(['pprof-cpu', '-l', 'version=api-1', '--duration', '1s', '--output', to]);
    expect(first.code, first.stderr).toBe(0);
    const merged = (await readdir(to)).find((name) => name.startsWith('merged.'))!;
    const base = join(to, merged);
    const pods = (await bed.nodeops(['version', '-l', 'version=api-2', '-o', 'name'])).stdout.trim().split('\n');
    const { code, stdout, stderr } = await bed.nodeops(
      ['pprof-cpu', pods[0]!, '--duration', '1s', '--output', join(to, 'one.cpu.pb.gz'), '--diff-base', base],
      { timeoutMs: 60_000 },
    );
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/one\.cpu\.pb\.gz[\s\S]*Base: .*merged.*\nNew: this capture[\s\S]*\+.*(price|round)/);
    // a pod named by its name is looked up for its node
    const profile = readProfile(await readFile(join(to, 'one.cpu.pb.gz')));
    expect(profile.labelSets.flat().map(({ key }) => key)).toContain('node');
    const missing = await bed.nodeops(['pprof-cpu', pods[0]!, '--diff-base', '/nowhere.pb.gz']);
    expect(missing.stderr).toMatch(/cannot read \/nowhere\.pb\.gz/);
  });
});
