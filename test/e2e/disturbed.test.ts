/** What goes wrong on the way: connections cut, the API server restarted, the door of a pod killed, a pod lost in mid-stream. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readProfile } from '../../src/formats/read.ts';
import { type Bed, notEmbedded, openBed } from './bed.ts';
import { container, pod } from './pods.ts';

let bed: Bed;
let directory: string;

/** A heap whose snapshot takes a while to fetch. */
const large = `
  const kept = [];
  for (let i = 0; i < 60_000; i++) kept.push({ i, text: 'some text that is kept ' + i });
  setInterval(function burnForAWhile() { const end = Date.now() + 10; while (Date.now() < end); }, 30);
`;
const waiting = 'setInterval(() => {}, 1000)';

const onTestBed = describe.skipIf(notEmbedded);
const why = notEmbedded ? ` (${notEmbedded})` : '';

beforeAll(async () => {
  bed = await openBed();
  directory = await mkdtemp(join(tmpdir(), 'nodeops-disturbed-'));
  const two = [container(bed, { name: 'web', script: waiting }), container(bed, { name: 'jobs', script: waiting })];
  await bed.create(
    pod('large-0', [container(bed, { script: large })], {}, { tier: 'd' }),
    pod('two-0', two, {}, { tier: 'd' }),
    pod('lost-0', [container(bed, { script: waiting })], {}, { tier: 'lost' }),
  );
  await bed.ready('large-0', 'two-0', 'lost-0');
  const answered = async () => expect((await bed.nodeops(['version', '-l', 'tier=d', '--all-processes'])).code).toBe(0);
  await vi.waitFor(answered, { timeout: 50_000, interval: 300 });
});
afterAll(async () => {
  await bed?.close();
  await rm(directory, { recursive: true, force: true });
});

onTestBed(`a capture${why}`, () => {
  it.each([
    ['connections are cut again and again', () => bed.cluster!.cutConnections(), 6],
    ['the API server is restarted', () => bed.cluster!.restartApiServer(300), 2],
  ] as const)(
    'comes home whole while %s',
    async (_, disturb, times) => {
      const to = await mkdtemp(join(directory, 'c-'));
      const args = [
        'pprof-cpu',
        'large-0',
        '--duration',
        '10s',
        '--format',
        'cpuprofile',
        '--output',
        to,
        '--no-prompt',
      ];
      const capture = bed.nodeops(args, { timeoutMs: 90_000 });
      // it has long begun then, also on a busy machine: what cannot be reached at first is not waited for
      await sleep(4_000);
      for (let i = 0; i < times; i++) {
        await sleep(5_000 / times);
        await disturb();
      }
      const { code, stderr } = await capture;
      expect(code, stderr).toBe(0);
      const [name, ...others] = await readdir(to);
      expect(others).toEqual([]);
      const { samples, startTime, endTime } = JSON.parse(await readFile(join(to, name!), 'utf8'));
      expect(samples.length).toBeGreaterThan(0);
      // it was not begun anew by a later connection
      expect((endTime - startTime) / 1e6).toBeGreaterThan(9.9);
    },
    120_000,
  );

  it('comes home whole to a laptop that slept', async () => {
    const to = await mkdtemp(join(directory, 'slept-'));
    const args = ['-n', bed.namespace, 'pprof-cpu', 'large-0', '--duration', '10s', '--output', to, '--no-prompt'];
    const env = { ...process.env, KUBECONFIG: bed.kubeconfig, NODE_OPTIONS: '' };
    const plugin = spawn(resolve('dist/kubectl-nodeops'), args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
    let stderr = '';
    plugin.stderr.on('data', (text) => (stderr += text));
    const ended = once(plugin, 'exit');
    try {
      await sleep(4_000);
      plugin.kill('SIGSTOP');
      await bed.cluster!.cutConnections();
      // beyond the end of the capture
      await sleep(12_000);
      plugin.kill('SIGCONT');
      expect((await ended)[0], stderr).toBe(0);
    } finally {
      plugin.kill('SIGKILL');
    }
    const [name, ...others] = await readdir(to);
    expect(others).toEqual([]);
    const { durationNanos } = readProfile(await readFile(join(to, name!))).facts;
    expect(Number(durationNanos) / 1e9).toBeGreaterThan(9.9);
  }, 120_000);
});

describe('a capture', () => {
  it('of a pod that is lost meanwhile says so, and leaves nothing half-written', async () => {
    const to = await mkdtemp(join(directory, 'lost-'));
    const capture = bed.nodeops(['pprof-cpu', 'lost-0', '--duration', '30s', '--output', to], { timeoutMs: 90_000 });
    await sleep(1_500);
    await bed.kubectl(['delete', 'pod', 'lost-0', '--grace-period=0', '--force', '--wait=false']);
    const { code, stdout, stderr } = await capture;
    expect(code, stderr).toBeGreaterThan(0);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/lost-0/);
    expect(await readdir(to)).toEqual([]);
  }, 100_000);
});

onTestBed(`the door of a pod${why}`, () => {
  it('killed during a fan-out costs at most its own processes', async () => {
    const list = JSON.parse((await bed.nodeops(['list', 'two-0', '-o', 'json'])).stdout).data.processes;
    const { container: door } = list.find((process: { door: boolean }) => process.door);
    const args = ['stats', '-l', 'tier=d', '--all-processes', '--window', '6s', '-o', 'json'];
    const asked = bed.nodeops(args, { timeoutMs: 55_000 });
    // all have been asked, and none has answered
    await sleep(3_000);
    await bed.cluster!.killContainer({ namespace: bed.namespace, pod: 'two-0', container: door });
    const { stdout, stderr } = await asked;
    const { items } = JSON.parse(stdout) as { items: { target: { pod: string }; error?: object }[] };
    expect(
      items.filter(({ target }) => target.pod === 'large-0').map(({ error }) => error),
      stderr,
    ).toEqual([undefined]);
    expect(items.filter(({ target }) => target.pod === 'two-0')).toHaveLength(2);
    const other = door === 'web' ? 'jobs' : 'web';
    const answers = async () => expect((await bed.nodeops(['version', 'two-0', '-c', other])).code).toBe(0);
    await vi.waitFor(answers, { timeout: 50_000, interval: 200 });
  });
});
