/** What goes wrong on the way: connections cut, the API server restarted, the leader of a pod killed, a pod lost in mid-stream. */
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
  bed = await openBed({ own: true });
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

/** A capture by the plugin, and the time when the first of it has been told on stderr: what cannot be reached before that is not waited for. */
async function begin(target: string, to: string, seconds: number) {
  const args = ['-n', bed.namespace, 'pprof-cpu', target, '--duration', `${seconds}s`, '--output', to, '--no-prompt'];
  const env = { ...process.env, KUBECONFIG: bed.kubeconfig, NODE_OPTIONS: '' };
  const plugin = spawn(resolve('dist/kubectl-nodeops'), args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  plugin.stdout.on('data', (text) => (stdout += text));
  plugin.stderr.on('data', (text) => (stderr += text));
  const ended = once(plugin, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr }));
  const over = ended.then(({ code }) => {
    throw new Error(`it ended with ${code} before it had begun: ${stderr}`);
  });
  over.catch(() => {});
  await Promise.race([over, vi.waitFor(() => expect(stderr).toContain(' left'), { timeout: 60_000, interval: 50 })]);
  return { plugin, ended };
}

/** How long the one profile in a directory was taken for: it was not begun anew by a later connection. */
async function secondsOf(to: string): Promise<number> {
  const [name, ...others] = await readdir(to);
  expect(others).toEqual([]);
  return Number(readProfile(await readFile(join(to, name!))).facts.durationNanos) / 1e9;
}

onTestBed(`a capture${why}`, () => {
  it.each([
    ['connections are cut again and again', () => bed.cluster!.cutConnections(), 6],
    ['the API server is restarted', () => bed.cluster!.restartApiServer(300), 2],
  ] as const)(
    'comes home whole while %s',
    async (_, disturb, times) => {
      const to = await mkdtemp(join(directory, 'c-'));
      const { ended } = await begin('large-0', to, 20);
      for (let i = 0; i < times; i++) {
        await disturb();
        await sleep(5_000 / times);
      }
      const { code, stderr } = await ended;
      expect(code, stderr).toBe(0);
      expect(await secondsOf(to)).toBeGreaterThan(19.9);
    },
    180_000,
  );

  it('comes home whole to a laptop that slept', async () => {
    const to = await mkdtemp(join(directory, 'slept-'));
    const { plugin, ended } = await begin('large-0', to, 12);
    try {
      plugin.kill('SIGSTOP');
      await bed.cluster!.cutConnections();
      // beyond the end of the capture
      await sleep(14_000);
      plugin.kill('SIGCONT');
      const { code, stderr } = await ended;
      expect(code, stderr).toBe(0);
    } finally {
      plugin.kill('SIGKILL');
    }
    expect(await secondsOf(to)).toBeGreaterThan(11.9);
  }, 180_000);

  it('of a pod that is lost meanwhile says so, and leaves nothing half-written', async () => {
    const to = await mkdtemp(join(directory, 'lost-'));
    const { ended } = await begin('lost-0', to, 40);
    await bed.kubectl(['delete', 'pod', 'lost-0', '--grace-period=0', '--force', '--wait=false']);
    const { code, stdout, stderr } = await ended;
    expect(code, stderr).toBeGreaterThan(0);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/lost-0/);
    expect(await readdir(to)).toEqual([]);
  }, 100_000);
});

onTestBed(`the leader of a pod${why}`, () => {
  it('killed during a fan-out costs at most its own processes', async () => {
    const list = JSON.parse((await bed.nodeops(['list', 'two-0', '-o', 'json'])).stdout).data.processes;
    const { container: leader } = list.find((process: { leader: boolean }) => process.leader);
    const args = ['stats', '-l', 'tier=d', '--all-processes', '--window', '6s', '-o', 'json'];
    const asked = bed.nodeops(args, { timeoutMs: 55_000 });
    // all have been asked, and none has answered
    await sleep(3_000);
    await bed.cluster!.killContainer({ namespace: bed.namespace, pod: 'two-0', container: leader });
    const { stdout, stderr } = await asked;
    const { items } = JSON.parse(stdout) as { items: { target: { pod: string }; error?: object }[] };
    expect(
      items.filter(({ target }) => target.pod === 'large-0').map(({ error }) => error),
      stderr,
    ).toEqual([undefined]);
    expect(items.filter(({ target }) => target.pod === 'two-0')).toHaveLength(2);
    const other = leader === 'web' ? 'jobs' : 'web';
    const answers = async () => expect((await bed.nodeops(['version', 'two-0', '-c', other])).code).toBe(0);
    await vi.waitFor(answers, { timeout: 50_000, interval: 200 });
  });
});
