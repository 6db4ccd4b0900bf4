import { describe, expect, it } from 'vitest';
import { estimateSnapshot, objections, type Room } from '../../../src/inspect/captures/preflight.ts';

const mib = 1024 * 1024;
const heap = (smallBytes: number, largeBytes = 0, nodeMajor = 22) =>
  estimateSnapshot({ nodeMajor, heapUsedBytes: smallBytes + largeBytes, smallBytes, largeBytes });
const roomIn = (limit: number, used: number): Room => ({
  freeBytes: limit - used,
  cgroup: { version: 2, limitBytes: limit, usedBytes: used },
  availableBytes: 100_000 * mib,
});

describe('the estimate of a heap snapshot', () => {
  it('is on the safe side of what was measured: 1.5 million small objects in 110 MiB took 2.6 GiB and up to 29 s', () => {
    const { objects, memoryBytes, pauseMs } = heap(110 * mib, 0, 20);
    expect(objects).toBeGreaterThan(1.5e6);
    expect(memoryBytes).toBeGreaterThan(2600 * mib);
    expect(pauseMs).toBeGreaterThan(29_000);
  });

  it('does not count large strings: 118 MiB of them took 6 MiB', () => {
    expect(heap(4 * mib, 118 * mib)).toEqual(heap(4 * mib));
  });

  it('objects with the figures when the memory limit leaves too little', () => {
    const [sentence, ...others] = objections(heap(100 * mib), roomIn(512 * mib, 200 * mib), undefined, 0);
    expect(sentence).toMatch(/may need \d+ MiB for about \d+ objects, and the memory limit of 512 MiB leaves 312 MiB/);
    expect(others).toEqual([]);
    expect(objections(heap(5 * mib), roomIn(512 * mib, 200 * mib), undefined, 0)).toEqual([]);
  });

  it('counts the artifact as well where it is kept in memory', () => {
    const estimate = heap(5 * mib);
    const room = roomIn(estimate.memoryBytes + mib, 0);
    expect(objections(estimate, room, undefined, 0)).toEqual([]);
    expect(objections(estimate, room, undefined, 1)).toHaveLength(1);
  });

  it('objects when the liveness probe would not wait, and not where nothing is known', () => {
    const nowhere: Room = { freeBytes: null, cgroup: null, availableBytes: null };
    expect(objections(heap(100 * mib), nowhere, 3_000, 0)).toEqual([
      expect.stringMatching(/stand still for [\d.]+ s.*allows 3\.0 s/),
    ]);
    expect(objections(heap(100 * mib), nowhere, undefined, 0)).toEqual([]);
  });
});
