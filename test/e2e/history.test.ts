import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Bed, openBed } from './bed.ts';
import { container, pod } from './pods.ts';

let bed: Bed;
const stalling = `
  function settleAccounts() { const end = Date.now() + 600; while (Date.now() < end); }
  setInterval(settleAccounts, 3000);
`;

interface Stall {
  ongoing: boolean;
  durationMs: number;
}
/** A busy machine adds stalls of its own. */
const ofOurs = (stall: Stall) => JSON.stringify(stall).includes('settleAccounts');

beforeAll(async () => {
  bed = await openBed();
  await bed.create(pod('stalling-0', [container(bed, { script: stalling })]));
  await bed.ready('stalling-0');
  const stalled = async () => {
    const { code, stdout } = await bed.nodeops(['history', 'stalling-0', '-o', 'json']);
    if (code !== 0) return false;
    const { times, stalls } = JSON.parse(stdout).data;
    return times.length > 2 && stalls.some((stall: Stall) => !stall.ongoing && ofOurs(stall));
  };
  await vi.waitFor(async () => expect(await stalled()).toBe(true), { timeout: 90_000, interval: 500 });
}, 240_000);
afterAll(() => bed?.close());

describe('history of a pod, through the real kubectl', () => {
  it('draws the figures and names what stalled the loop', async () => {
    const { code, stdout, stderr } = await bed.nodeops(['history', 'pod/stalling-0', '--ascii']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^heap used {2}.*#.* now, max /m);
    expect(stdout).toMatch(/^ {6}at settleAccounts \(/m);
  });

  it('gives exact figures as JSON', async () => {
    const { stdout } = await bed.nodeops(['history', 'stalling-0', '-o', 'json']);
    const { data, operation } = JSON.parse(stdout);
    expect(operation).toBe('history');
    expect(data.times.length).toBeGreaterThanOrEqual(2);
    expect(data.series.rssBytes.mean).toHaveLength(data.times.length);
    expect(data.stalls.find(ofOurs).durationMs).toBeGreaterThan(500);
  });
});
