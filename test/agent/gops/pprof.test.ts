import { Session } from 'node:inspector/promises';
import { describe, expect, it } from 'vitest';
import { cpuToPprof, heapToPprof } from '../../../src/agent/gops/pprof.ts';
import { fromPprof } from '../../../src/formats/from-pprof.ts';
import { fromCpuProfile } from '../../../src/formats/from-v8.ts';

/** Profiles of this process at work. */
async function record() {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('HeapProfiler.startSampling', { samplingInterval: 1024 });
  await session.post('Profiler.setSamplingInterval', { interval: 500 });
  await session.post('Profiler.start');
  const kept = burn(150);
  await new Promise((done) => setTimeout(done, 50));
  const { profile: cpu } = await session.post('Profiler.stop');
  const { profile: heap } = await session.post('HeapProfiler.stopSampling');
  session.disconnect();
  return { cpu, heap, kept };
}
function burn(milliseconds: number): string[] {
  const kept: string[] = [];
  const endAt = performance.now() + milliseconds;
  while (performance.now() < endAt) if (kept.length < 50_000) kept.push(`${kept.length} kept`);
  return kept;
}

const total = (profile: ReturnType<typeof fromPprof>, column: number) =>
  profile.sampleStack.reduce((sum, _, i) => sum + profile.values[column]![i]!, 0);

describe('profiles as gops sends them', () => {
  it('a CPU profile has the samples and the time that V8 recorded, without idle time', async () => {
    const { cpu } = await record();
    const ours = fromPprof(cpuToPprof(cpu as never));
    expect(ours.sampleTypes).toEqual([
      { type: 'samples', unit: 'count' },
      { type: 'cpu', unit: 'nanoseconds' },
    ]);
    const theirs = fromCpuProfile(cpu as never);
    expect(total(ours, 0)).toBe(total(theirs, 0));
    expect(Math.abs(total(ours, 1) - total(theirs, 1))).toBeLessThan(2_000_000);
    expect(ours.functions.map(({ name }) => name)).toContain('burn');
    expect(ours.functions.map(({ name }) => name)).not.toContain('(idle)');
  });

  it('a heap profile has the bytes that are live', async () => {
    const { heap, kept } = await record();
    const ours = fromPprof(heapToPprof(heap));
    expect(ours.sampleTypes).toEqual([{ type: 'inuse_space', unit: 'bytes' }]);
    const sum = (node: typeof heap.head): number =>
      node.selfSize + node.children.reduce((all, one) => all + sum(one), 0);
    expect(total(ours, 0)).toBe(sum(heap.head));
    expect(kept.length).toBeGreaterThan(0);
  });
});
