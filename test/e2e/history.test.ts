import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bed, openBed } from './bed.ts';
import { container, pod } from './pods.ts';

let bed: Bed;
const stalling = `
  function settleAccounts() { const end = Date.now() + 600; while (Date.now() < end); }
  setTimeout(settleAccounts, 1500);
  setInterval(() => {}, 1000);
`;

beforeAll(async () => {
  bed = await openBed();
  await bed.create(pod('stalling-0', [container(bed, { script: stalling })]));
  await bed.ready('stalling-0');
  await new Promise((done) => setTimeout(done, 4_000));
});
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
    expect(data.stalls[0].durationMs).toBeGreaterThan(500);
  });
});
