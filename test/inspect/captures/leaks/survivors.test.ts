import { describe, expect, it } from 'vitest';
import { judgeSurvivors, type SiteVerdict } from '../../../../src/inspect/captures/leaks/survivors.ts';
import { leaks } from '../../../formats/heap/leaking.ts';
import { nodes, record } from '../../../formats/record.ts';

/** Six looks, 60 rounds apart: the caches turn over in between. */
async function verdicts(node: string, script: string): Promise<SiteVerdict[]> {
  const text = await record(
    node,
    `${script}
async function main() {
  for (let i = 0; i < 60; i++) caches();
  await session.post('HeapProfiler.enable');
  await session.post('HeapProfiler.startSampling', { samplingInterval: 2048 });
  const looks = [];
  let profile, ordinal = 0;
  const start = Date.now();
  for (let look = 1; look <= 6; look++) {
    for (let i = 0; i < 60; i++) { leak(); caches(); JSON.stringify(made(i)); }
    await session.post('HeapProfiler.collectGarbage');
    ({ profile } = await session.post('HeapProfiler.getSamplingProfile'));
    for (const sample of profile.samples) ordinal = Math.max(ordinal, sample.ordinal);
    looks.push({ atMs: start + look * 1000, ordinal, arrayBufferBytes: process.memoryUsage().arrayBuffers });
  }
  result({ profile, looks, start });
  setTimeout(() => process.exit(), 50);
}
main();`,
  );
  const { profile, looks, start } = JSON.parse(text);
  return judgeSurvivors(profile, looks, start);
}

const named = ({ frames, blamed }: SiteVerdict) => frames[blamed]!.functionName;

// every version: capture-leaks.test.ts
describe.each(nodes.filter(({ name }) => name === 'node24'))('survivors of sampling on $name', ({ path }) => {
  it.each(leaks)('accuse $name, and no cache', async ({ script }) => {
    const found = await verdicts(path, script);
    const accused = found.filter(({ verdict }) => verdict === 'leaks');
    expect(accused.map(named)[0]).toBe('leak');
    expect(accused.map(named).filter((name) => name.startsWith('cache'))).toEqual([]);
    expect(accused[0]?.bytesPerSecond).toBeGreaterThan(0);
  });

  it('share out what ArrayBuffers hold', async () => {
    const [first] = await verdicts(path, leaks[leaks.length - 1]!.script);
    // 60 slabs of 64 KiB a second of the clock that was given
    expect(first?.externalBytesPerSecond).toBeGreaterThan(0.9 * 60 * 65_536);
    expect(first?.externalBytesPerSecond).toBeLessThan(1.1 * 60 * 65_536);
  });
});
