import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { type Bed, openBed } from './bed.ts';
import { blocked, container, healthy, leaking, nativeBlock, pod } from './pods.ts';

let bed: Bed;
const patiently = { timeout: 40_000, interval: 300 };

beforeAll(async () => {
  bed = await openBed();
  await bed.create(
    pod('api-0', [container(bed, { script: healthy })]),
    pod('blocked-0', [container(bed, { script: blocked })]),
    pod('leaking-0', [container(bed, { script: leaking })]),
    pod('native-0', [container(bed, { script: nativeBlock })]),
    pod('two-0', [container(bed, { name: 'web', script: healthy }), container(bed, { name: 'jobs', script: leaking })]),
    pod('bare-0', [container(bed, { script: healthy, agent: false })]),
    pod('pending-0', [container(bed, { script: healthy })], { nodeSelector: { 'nodeops.test/nowhere': 'true' } }),
    pod('done-0', [container(bed, { script: '0', agent: false })], { restartPolicy: 'Never' }),
  );
  await bed.ready('api-0', 'blocked-0', 'leaking-0', 'native-0', 'two-0', 'bare-0');
  const phase = async (name: string) =>
    (await bed.kubectl(['get', 'pod', name, '-o', 'jsonpath={.status.phase}'])).stdout;
  await vi.waitFor(async () => expect(await phase('done-0')).toBe('Succeeded'), patiently);
  await Promise.all(['api-0', 'leaking-0', 'blocked-0', 'native-0'].map((name) => bed.answering(1, name)));
  await bed.answering(2, 'two-0');
  // they serve for a moment before they do what they are for
  const stack = async (name: string) => (await bed.nodeops(['stack', name])).stdout;
  await vi.waitFor(async () => expect(await stack('blocked-0')).toContain('innermost'), patiently);
  await vi.waitFor(async () => expect(await stack('native-0')).toContain('native code'), patiently);
}, 240_000);
afterAll(() => bed?.close());

describe('one pod, through the real kubectl', () => {
  it('stats prints what a healthy server does', async () => {
    const { code, stdout, stderr } = await bed.nodeops(['stats', 'pod/api-0']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^uptime: .+\nOS threads: \d+\nworker threads: 0\nlibuv pool: 4 \(not started\)\n/);
    expect(stdout).toMatch(/^active handles: 1 \(TCPServerWrap 1\)$/m);
    expect(stdout).toMatch(/^event-loop utilization: \d+\.\d%$/m);
  });

  it('stats -o json has exact figures, -o yaml the same document', async () => {
    const json = JSON.parse((await bed.nodeops(['stats', 'api-0', '-o', 'json'])).stdout);
    expect(json).toMatchObject({
      schema: 'nodeops/v1',
      operation: 'stats',
      target: { namespace: bed.namespace, pod: 'api-0' },
      process: { container: 'app' },
      stuck: null,
    });
    expect(json.data.eventLoop.utilization).toBeLessThan(0.9);
    const yaml = parse((await bed.nodeops(['stats', 'api-0', '-o', 'yaml'])).stdout);
    expect(Object.keys(yaml)).toEqual(Object.keys(json));
  });

  it('memstats shows the heap of a leaking process grow', async () => {
    const used = async () =>
      JSON.parse((await bed.nodeops(['memstats', 'leaking-0', '-o', 'json'])).stdout).data.heap.usedBytes as number;
    const first = await used();
    await expect.poll(used, patiently).toBeGreaterThan(first);
    expect((await bed.nodeops(['memstats', 'leaking-0'])).stdout).toMatch(/^heap-used: [\d.]+MB \(\d+ bytes\)$/m);
  });

  it('stack names the function that blocks the loop', async () => {
    const { code, stdout } = await bed.nodeops(['stack', 'pod/blocked-0']);
    expect(code).toBe(0);
    const lines = stdout.split('\n');
    expect(lines[0]).toBe('thread main [running]:');
    expect(lines[1]).toMatch(/^ {4}at innermost \(\[eval\]:2:\d+\)$/);
    expect(lines[2]).toMatch(/^ {4}at handleOrder \(\[eval\]:3:\d+\)$/);
  });

  it('stack of an idle process says what it waits for', async () => {
    const { stdout } = await bed.nodeops(['stack', 'api-0']);
    expect(stdout).toContain('thread main [idle, waiting in the event loop]:');
    expect(stdout).toMatch(/waiting for:\n {4}1 .*3000/);
  });

  it('stats and memstats answer for a blocked loop', async () => {
    const stats = JSON.parse((await bed.nodeops(['stats', 'blocked-0', '-o', 'json'])).stdout);
    expect(stats.data.eventLoop.utilization).toBeGreaterThan(0.9);
    expect(stats.data.cpu.percent).toBeGreaterThan(0);
    const memory = JSON.parse((await bed.nodeops(['memstats', 'blocked-0', '-o', 'json'])).stdout);
    expect(memory.data.heap.usedBytes).toBeGreaterThan(1e6);
  });

  it('says what the kernel shows when the main thread is stuck in native code', async () => {
    const { code, stdout } = await bed.nodeops(['stack', 'native-0', '-o', 'json']);
    expect(code).toBe(0);
    const reply = JSON.parse(stdout);
    expect(reply.stuck.summary).toMatch(/main thread/);
    expect(reply.data.threads[0]).toMatchObject({ thread: 'main', state: 'native' });
  });

  it('wants to be told which of two containers, and takes -c', async () => {
    const refused = await bed.nodeops(['stats', 'two-0']);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toMatch(/web\/\d+/);
    expect(refused.stderr).toMatch(/jobs\/\d+/);
    const chosen = await bed.nodeops(['version', 'two-0', '-c', 'jobs', '-o', 'json']);
    expect(JSON.parse(chosen.stdout).process.container).toBe('jobs');
  });
});

describe('what goes wrong is one clear line, and nothing on stdout', () => {
  const failing = async (args: string[]) => {
    const result = await bed.nodeops(args);
    expect(result.stdout).toBe('');
    expect(result.stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(result.stderr).not.toMatch(/\bat .*\(.*:\d+:\d+\)/);
    return result;
  };

  it('no such pod', async () => {
    const { code, stderr } = await failing(['stats', 'pod/nope']);
    expect(code).toBe(1);
    expect(stderr).toContain('nope');
    expect(stderr).toContain(`kubectl get pods -n ${bed.namespace}`);
  });

  it('a pending pod', async () => {
    const { code, stderr } = await failing(['stats', 'pending-0']);
    expect(code).toBe(5);
    expect(stderr).toMatch(/pending-0.*Pending/i);
  });

  it('a completed pod', async () => {
    const { code, stderr } = await failing(['stats', 'done-0']);
    expect(code).toBe(5);
    expect(stderr).toMatch(/done-0.*(Succeeded|completed)/i);
  });

  it('no agent on the port', async () => {
    const { code, stderr } = await failing(['stats', 'bare-0']);
    expect(code).toBe(5);
    expect(stderr).toMatch(/nothing listens on port 8848 of pod 'bare-0'/);
  });

  it('an unknown container', async () => {
    const { stderr } = await failing(['stats', 'two-0', '-c', 'nope']);
    expect(stderr).toMatch(/nope.*web.*jobs|nope.*jobs.*web/);
  });

  it('a wrong flag, a wrong command, a wrong value', async () => {
    expect(await failing(['stats', 'api-0', '--nonsense'])).toMatchObject({ code: 2 });
    expect(await failing(['staats', 'api-0'])).toMatchObject({ code: 2 });
    expect((await failing(['stats', 'api-0', '--window', 'soon'])).stderr).toContain('such as 500ms');
  });
});
