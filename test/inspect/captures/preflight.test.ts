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

  /** MiB in spaces of small objects, and by how many MiB RSS grew at most: nothing done, 20,000 objects and strings, all of Node's modules. */
  it.each([
    [20, 2.5, 32],
    [20, 3.9, 64],
    [20, 4.4, 50],
    [22, 3.4, 41],
    [22, 4.6, 67],
    [22, 5.1, 55],
    [24, 3.7, 56],
    [24, 4.9, 77],
    [24, 5.6, 69],
    [26, 3.9, 55],
    [26, 5.1, 76],
    [26, 5.9, 69],
  ])('is near what a small heap took: Node %d, %d MiB', (nodeMajor, smallMib, tookMib) => {
    const { memoryBytes } = heap(smallMib * mib, 0, nodeMajor);
    expect(memoryBytes).toBeGreaterThanOrEqual(tookMib * mib);
    expect(memoryBytes).toBeLessThan(2.5 * tookMib * mib);
  });

  it('does not refuse a heap of 6 MB in a pod of 256 Mi', () => {
    for (const nodeMajor of [20, 22, 24, 26])
      expect(objections(heap(5.5 * mib, 0, nodeMajor), roomIn(256 * mib, 70 * mib), undefined, 1)).toEqual([]);
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
