import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Bed, openBed } from './bed.ts';
import { calm, container, hashing, pod, polling } from './pods.ts';

let bed: Bed;

beforeAll(async () => {
  bed = await openBed();
  const prepared = { agent: 'loaded' };
  const tier = { tier: 'why', ...prepared };
  // only one of them uses the CPU, of which a busy machine has little
  await bed.create(
    pod('login-0', [container(bed, { script: hashing })], {}, prepared),
    pod('orders-a', [container(bed, { script: polling })], {}, tier),
    pod('orders-b', [container(bed, { script: polling })], {}, tier),
    pod('calm-0', [container(bed, { script: calm })], {}, tier),
    pod('bare-0', [container(bed, { script: polling, agent: false })]),
  );
  await bed.ready('login-0', 'orders-a', 'orders-b', 'calm-0', 'bare-0');
  // a pod is ready before its process has loaded anything
  const answers = async () => (await bed.nodeops(['version', '-l', 'agent=loaded'])).code;
  await vi.waitFor(async () => expect(await answers()).toBe(0), { timeout: 90_000, interval: 500 });
}, 240_000);
afterAll(() => bed?.close());

describe('why of a pod, through the real kubectl', () => {
  it('names the call, who makes it, and what to type next', async () => {
    const { code, stdout, stderr } = await bed.nodeops(['why', 'pod/login-0', '--for', '6s']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^1\. Synchronous crypto blocks the event loop: scryptSync, called by\s+verifyPassword/);
    expect(stdout).toMatch(/next\s+\S.*nodeops pprof-cpu\s+pod\/login-0 -n \S+ -c app/);
  });

  it('is a document and a ticket, and tells by its exit code', async () => {
    const [json, md] = await Promise.all([
      bed.nodeops(['why', 'pod/orders-a', '--for', '5s', '-o', 'json', '--exit-code']),
      bed.nodeops(['why', 'pod/orders-b', '--for', '5s', '-o', 'md']),
    ]);
    expect(json.code).toBe(6);
    const { data, target } = JSON.parse(json.stdout);
    expect(target.pod).toBe('orders-a');
    expect(data.verdict).toBe('finding');
    // notes may follow: a busy machine is one
    expect(data.findings[0]).toMatchObject({ id: 'outbound-stuck', sentence: expect.stringContaining('/prices') });
    expect(md.stdout).toMatch(/^## pod\/orders-b app\/\d+\n/);
    expect(md.stdout).toContain('### an upstream does not answer');
  });

  it('tells what pods of a selection have in common', async () => {
    const { code, stdout } = await bed.nodeops(['why', '-l', 'tier=why', '--for', '5s']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^2 of 3 \(pod\/orders-[ab] app\/1, pod\/orders-[ab] app\/1\): an upstream does not/);
    expect(stdout).toMatch(/^pod\/calm-0 app\/1 differs: nothing wrong was seen$/m);
  });

  it('looks into a pod that nobody prepared', async () => {
    const { code, stdout } = await bed.nodeops(['why', 'pod/bare-0', '--attach=exec', '--for', '6s']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^1\. An upstream does not answer: .*\/prices/s);
  });
});
