import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Bed, openBed } from './bed.ts';
import { container, hashing, pod, serving } from './pods.ts';

let bed: Bed;

beforeAll(async () => {
  bed = await openBed();
  await bed.create(
    pod('login-a', [container(bed, { script: hashing })], {}, { tier: 'why' }),
    pod('login-b', [container(bed, { script: hashing })], {}, { tier: 'why' }),
    pod('calm-0', [container(bed, { script: serving })], {}, { tier: 'why' }),
    pod('bare-0', [container(bed, { script: hashing, agent: false })]),
  );
  await bed.ready('login-a', 'login-b', 'calm-0', 'bare-0');
  // a pod is ready before its process has loaded anything
  const answers = async () => (await bed.nodeops(['version', '-l', 'tier=why'])).code;
  await vi.waitFor(async () => expect(await answers()).toBe(0), { timeout: 90_000, interval: 500 });
}, 240_000);
afterAll(() => bed?.close());

describe('why of a pod, through the real kubectl', () => {
  it('names the call, who makes it, and what to type next', async () => {
    const { code, stdout, stderr } = await bed.nodeops(['why', 'pod/login-a', '--for', '5s']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^1\. Synchronous crypto blocks the event loop: scryptSync, called by\s+verifyPassword/);
    expect(stdout).toMatch(/next\s+\S.*nodeops pprof-cpu\s+pod\/login-a -n \S+ -c app/);
  });

  it('is a document and a ticket, and tells by its exit code', async () => {
    const json = await bed.nodeops(['why', 'pod/login-a', '--for', '4s', '-o', 'json', '--exit-code']);
    expect(json.code).toBe(6);
    const { data, target } = JSON.parse(json.stdout);
    expect(target.pod).toBe('login-a');
    expect(data).toMatchObject({
      verdict: 'finding',
      findings: [{ id: 'sync-crypto', figures: { call: 'scryptSync' } }],
    });
    const md = await bed.nodeops(['why', 'pod/login-a', '--for', '4s', '-o', 'md']);
    expect(md.stdout).toMatch(/^## pod\/login-a app\/\d+\n/);
    expect(md.stdout).toContain('### synchronous crypto blocks the event loop');
  });

  it('tells what pods of a selection have in common', async () => {
    const { code, stdout } = await bed.nodeops(['why', '-l', 'tier=why', '--for', '5s']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^2 of 3 \(pod\/login-[ab] app\/1, pod\/login-[ab] app\/1\): synchronous crypto/);
    expect(stdout).toMatch(/^pod\/calm-0 app\/1 differs: nothing wrong was seen$/m);
  });

  it('looks into a pod that nobody prepared', async () => {
    const { code, stdout } = await bed.nodeops(['why', 'pod/bare-0', '--attach=exec', '--for', '6s']);
    expect(code).toBe(0);
    expect(stdout).toContain('scryptSync');
  });
});
