import { Session } from 'node:inspector/promises';
import { describe, expect, it } from 'vitest';
import { type CpuProfile, cpuToPprof, heapToPprof } from '../../../src/agent/gops/pprof.ts';
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
/** Works for so much time of a CPU: the clock on the wall may go on while we stand still, and then there are no samples. */
function burn(milliseconds: number): string[] {
  const kept: string[] = [];
  const { user } = process.cpuUsage();
  while (process.cpuUsage().user - user < milliseconds * 1000) {
    for (let i = 0; i < 1e5; i++) Math.sqrt(i);
    for (let i = 0; i < 1000 && kept.length < 50_000; i++) kept.push(`${kept.length} kept`);
  }
  return kept;
}

/** With its samples in the order of their times: V8 delivers some late, and only the plugin's conversion sorts them. */
function inOrder(profile: CpuProfile): CpuProfile {
  let at = 0;
  const taken = profile.timeDeltas.map((delta, i) => {
    at += delta;
    return { at, id: profile.samples[i]! };
  });
  taken.sort((a, b) => a.at - b.at);
  return {
    ...profile,
    samples: taken.map(({ id }) => id),
    timeDeltas: taken.map((one, i) => one.at - (taken[i - 1]?.at ?? 0)),
  };
}

const total = (profile: ReturnType<typeof fromPprof>, column: number) =>
  profile.sampleStack.reduce((sum, _, i) => sum + profile.values[column]![i]!, 0);

describe('profiles as gops sends them', () => {
  it('a CPU profile has the samples and the time that V8 recorded, without idle time', async () => {
    const cpu = inOrder((await record()).cpu as CpuProfile);
    const ours = fromPprof(cpuToPprof(cpu));
    expect(ours.sampleTypes).toEqual([
      { type: 'samples', unit: 'count' },
      { type: 'wall', unit: 'nanoseconds' },
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
