/** Profiles, traces and snapshots of pods, saved on this machine; also of a blocked process. */
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { fromPprof } from '../../src/formats/from-pprof.ts';
import { top } from '../../src/formats/summary/top.ts';
import { tooLargeToInline } from '../bed/too-large-to-inline.ts';
import { type Bed, openBed } from './bed.ts';
import { blocked, container, pod } from './pods.ts';

let bed: Bed;
let directory: string;

/** Burns CPU in a function of a known name, and allocates in another. */
const busy = `
  const kept = [];
  function burnForAWhile() {
    let x = 0;
    for (const end = Date.now() + 20; Date.now() < end; ) for (let i = 0; i < 1e5; i++) x += Math.sqrt(x + i);
    ${tooLargeToInline}
    return x;
  }
  function keepSome() { for (let i = 0; i < 200; i++) kept.push({ i, text: 'x'.repeat(100) + i }); if (kept.length > 20000) kept.length = 0; }
  setInterval(burnForAWhile, 30);
  setInterval(keepSome, 30);
`;

beforeAll(async () => {
  bed = await openBed();
  directory = await mkdtemp(join(tmpdir(), 'nodeops-captures-'));
  const cluster = `
    const { writeFileSync } = require('node:fs');
    writeFileSync('/tmp/c.cjs', \`const cluster = require('node:cluster'); if (cluster.isPrimary) cluster.fork(); else { ${busy.replaceAll('`', '\\`').replaceAll('$', '\\$')} }\`);
    process.argv[1] = '/tmp/c.cjs'; process.execArgv = []; require('/tmp/c.cjs');
  `;
  await bed.create(
    pod('busy-0', [container(bed, { script: busy })], {}, { tier: 'busy' }),
    pod('busy-1', [container(bed, { script: busy })], {}, { tier: 'busy' }),
    pod('blocked-0', [container(bed, { script: blocked })]),
    pod('cluster-0', [container(bed, { script: cluster })]),
  );
  await bed.ready('busy-0', 'busy-1', 'blocked-0', 'cluster-0');
  await bed.answering(2, '-l', 'tier=busy');
  await bed.answering(2, 'cluster-0');
  const stack = async () => (await bed.nodeops(['stack', 'blocked-0'])).stdout;
  await vi.waitFor(async () => expect(await stack()).toContain('innermost'), { timeout: 40_000, interval: 300 });
}, 240_000);
afterAll(async () => {
  await bed?.close();
  await rm(directory, { recursive: true, force: true });
});

interface Saved {
  path: string;
  bytes: number;
}

async function capture(args: string[]): Promise<Saved[]> {
  const to = await mkdtemp(join(directory, 'c-'));
  const all = [...args, '--output', to, '--result', 'json'];
  const { code, stdout, stderr } = await bed.nodeops(all, { timeoutMs: 60_000 });
  expect(code, stderr).toBe(0);
  const files = (await readdir(to)).map((name) => join(to, name));
  expect(files.every((name) => !name.endsWith('.part'))).toBe(true);
  expect(stdout).toContain(files[0]!);
  return Promise.all(files.map(async (path) => ({ path, bytes: (await stat(path)).size })));
}

describe('captures of a pod', () => {
  it('pprof-cpu names the function that burns', async () => {
    const [file] = await capture(['pprof-cpu', 'busy-0', '--duration', '2s']);
    expect(file!.path).toMatch(/busy-0.*\.pb\.gz$/);
    expect(((await stat(file!.path)).mode & 0o777).toString(8)).toBe('600');
    const profile = await fromPprof(await readFile(file!.path));
    expect(top(profile, { widthColumns: 200 })).toMatch(/burnForAWhile/);
  });

  it('pprof-cpu of a blocked loop names the function that blocks', async () => {
    const [file] = await capture(['pprof-cpu', 'blocked-0', '--duration', '1s', '--format', 'cpuprofile']);
    const profile = JSON.parse(await readFile(file!.path, 'utf8'));
    const names = profile.nodes.map(({ callFrame }: { callFrame: { functionName: string } }) => callFrame.functionName);
    expect(names).toContain('innermost');
  });

  it('pprof-heap, trace, report and heapsnapshot are whole', async () => {
    const [heap] = await capture(['pprof-heap', 'busy-0', '--duration', '2s', '--format', 'heapprofile']);
    expect(await readFile(heap!.path, 'utf8')).toContain('keepSome');
    const [trace] = await capture(['trace', 'busy-0', '--duration', '1s']);
    expect(JSON.parse(await readFile(trace!.path, 'utf8')).traceEvents.length).toBeGreaterThan(10);
    const [report] = await capture(['report', 'busy-0']);
    expect(JSON.parse(await readFile(report!.path, 'utf8')).header.nodejsVersion).toMatch(/^v/);
    const [snapshot] = await capture(['heapsnapshot', 'busy-0']);
    expect(JSON.parse(await readFile(snapshot!.path, 'utf8')).snapshot.node_count).toBeGreaterThan(1000);
  });

  it('of a selection are one file per process and one merged profile', async () => {
    const files = await capture(['pprof-cpu', '-l', 'tier=busy', '--duration', '1s']);
    expect(files).toHaveLength(3);
    const merged = files.find(({ path }) => /merged/.test(path));
    const profile = await fromPprof(await readFile(merged!.path));
    const labels = JSON.stringify([...(profile.labelSets ?? [])]);
    expect(labels).toContain('busy-0');
    expect(labels).toContain('busy-1');
  });

  it('of a process that sleeps behind the leader of its pod', async () => {
    const { stdout } = await bed.nodeops(['list', 'cluster-0', '-o', 'json']);
    const asleep = JSON.parse(stdout).data.processes.find(({ leader }: { leader: boolean }) => !leader);
    const [file] = await capture(['pprof-cpu', 'cluster-0', '--pid', String(asleep.pid), '--duration', '1s']);
    const profile = await fromPprof(await readFile(file!.path));
    expect(top(profile, { widthColumns: 200 })).toMatch(/burnForAWhile/);
  });
});

describe('effects', () => {
  it('gc prints what was freed and how long it paused', async () => {
    const { code, stdout } = await bed.nodeops(['gc', 'busy-0']);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^freed: .*\nheap-used: .* before, .* after\nheap-total: .*\n(?:external: .*\n)?(?:rss: .*\n)?pause: at most /,
    );
  });

  it('setgc prints the new and the previous value, as gops does', async () => {
    // whatever an earlier try left
    expect((await bed.nodeops(['setgc', 'busy-0', 'off'])).code).toBe(0);
    const first = await bed.nodeops(['setgc', 'busy-0', '50']);
    expect(first.stdout).toMatch(/^New GC percent set to 50\. Previous value was off\.\n/);
    expect((await bed.nodeops(['setgc', 'busy-0', 'off'])).stdout).toMatch(
      /^New GC percent set to off\. Previous value was 50\.\n/,
    );
    for (const wrong of ['0', '10001', 'x', '-5']) {
      const { code, stdout } = await bed.nodeops(['setgc', 'busy-0', wrong]);
      expect({ wrong, code, stdout }).toEqual({ wrong, code: 2, stdout: '' });
    }
  });
});
