import { describe, expect, it } from 'vitest';
import { checkCpuProfile } from '../../src/formats/cpuprofile.ts';
import { fromCpuProfile } from '../../src/formats/from-v8.ts';
import { profileHead } from '../../src/formats/summary/report.ts';

const callFrame = (functionName: string) => ({
  functionName,
  scriptId: '1',
  url: '',
  lineNumber: -1,
  columnNumber: -1,
});
/** `work` runs 100 ms, sleeps in `query` for 100 ms, and the loop waits for 100 ms; a sample every 10 ms. */
const source = (clock?: object) => ({
  nodes: [
    { id: 1, callFrame: callFrame('(root)'), children: [2, 3, 4] },
    { id: 2, callFrame: callFrame('work') },
    { id: 3, callFrame: callFrame('query') },
    { id: 4, callFrame: callFrame('(idle)') },
  ],
  startTime: 1_000_000,
  endTime: 1_300_000,
  samples: Array.from({ length: 30 }, (_, i) => (i < 10 ? 2 : i < 20 ? 3 : 4)),
  timeDeltas: Array.from({ length: 30 }, (_, i) => (i === 0 ? 0 : 10_000)),
  nodeops: { pausedMicros: 12, clock },
});
const at = Array.from({ length: 31 }, (_, i) => i);
/** CPU at 80 % while it works, the rest of that time others had it; 1 ms of the loop's own while it is idle. */
const clock = {
  micros: at.map((i) => 1_000_000 + i * 10_000),
  cpuMicros: at.map((i) => Math.min(i, 10) * 8_000 + (i > 20 ? 1_000 : 0)),
  queuedMicros: at.map((i) => Math.min(i, 10) * 2_000),
  doing: at.map((i) => (i < 10 ? 0 : i <= 20 ? 1 : 2)),
  names: ['running', 'wait4', 'epoll_wait'],
};
const sums = (value: unknown) => {
  const profile = fromCpuProfile(checkCpuProfile(value));
  const rows = profile.sampleStack.map((stack, i) => [
    profile
      .framesOf(stack)
      .map((frame) => profile.functions[profile.frameFunction[frame]!]!.name)
      .join('<'),
    ...profile.values.map((column) => Math.round(column[i]! / 1e6)),
  ]);
  return { profile, rows: rows.map(([name, , ...times]) => [name, ...times]) };
};

describe('a CPU profile with the clock of its thread', () => {
  it('tells CPU from time asleep, and what it slept in under who called it', () => {
    const { profile, rows } = sums(source(clock));
    expect(profile.sampleTypes.map(({ type }) => type)).toEqual(['samples', 'wall', 'cpu']);
    expect(rows).toEqual([
      ['work', 100, 80],
      ['(asleep in wait4)<query', 100, 0],
    ]);
    expect(profileHead(profile)).toBe(
      'Busy: 200ms by the clock on the wall, of which 80ms on a CPU, 20ms waiting for one, 100ms asleep in calls\n' +
        'Type: cpu\nDuration: 300ms, Total samples = 80ms (26.67%)\n',
    );
  });

  it('has wall time only where there is no clock, or none that makes sense', () => {
    for (const bad of [
      undefined,
      {},
      { ...clock, cpuMicros: clock.cpuMicros.toReversed() },
      { ...clock, micros: [1] },
    ]) {
      const { profile, rows } = sums(source(bad));
      expect(profile.sampleTypes.map(({ type }) => type)).toEqual(['samples', 'wall']);
      expect(rows).toEqual([
        ['work', 100],
        ['query', 100],
      ]);
    }
  });

  it('does without what the thread did where that is damaged', () => {
    expect(sums(source({ ...clock, doing: [7] })).rows).toEqual([
      ['work', 100, 80],
      ['query', 100, 0],
    ]);
  });
});
