import { describe, expect, it } from 'vitest';
import { estimateSnapshot, objections, type Room } from '../../../src/inspect/captures/preflight.ts';

const mib = 1024 * 1024;
const heap = (smallBytes: number, largeBytes = 0, nodeMajor = 22) =>
  estimateSnapshot({ nodeMajor, heapUsedBytes: smallBytes + largeBytes, smallBytes, largeBytes }, null, false);
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
    const figures = { nodeMajor: 22, heapUsedBytes: 122 * mib, smallBytes: 4 * mib, largeBytes: 118 * mib };
    expect(estimateSnapshot(figures, { words: 230_000, largestWords: 60_000 }, false)).toEqual(heap(4 * mib));
  });

  /** MiB of small and large objects, thousands of words that look like references in all and in the largest area, by how many MiB RSS grew. */
  it.each([
    ['one array of 250,000 enum strings', 24, 3.9, 2.2, 514, 248, 324],
    ['one array of 2 million enum strings', 24, 3.9, 22.6, 2_271, 2_002, 2_419],
    ['one array of 2 million enum strings', 20, 2.7, 22.6, 2_236, 1_997, 2_415],
    ['ten arrays of 200,000 references', 24, 3.9, 19.9, 2_385, 204, 382],
    ['an object with 200,000 keys', 24, 8.4, 12.3, 800, 209, 517],
    ['an object with 400,000 keys', 24, 13, 24.3, 1_251, 408, 1_009],
    ['an object with 200,000 keys', 20, 7.3, 12.3, 1_173, 210, 527],
    ['a WeakMap of 100,000', 24, 10, 5.1, 1_229, 202, 701],
    ['a WeakMap of 50,000', 26, 7.1, 2.5, 710, 100, 362],
    ['a Map of 300,000 strings', 24, 19.9, 14.3, 1_484, 602, 873],
    ['a Map of 150,000 strings', 22, 11.5, 7.3, 1_281, 300, 469],
    ['long strings', 26, 4.1, 10.1, 245, 63, 40],
  ])('is near what references in large objects took: %s', (_, nodeMajor, small, large, words, largest, tookMib) => {
    const bytes = { smallBytes: small * mib, largeBytes: large * mib };
    const figures = { nodeMajor, heapUsedBytes: (small + large) * mib, ...bytes };
    const { memoryBytes } = estimateSnapshot(figures, { words: words * 1e3, largestWords: largest * 1e3 }, false);
    expect(memoryBytes).toBeGreaterThanOrEqual(tookMib * mib);
    expect(memoryBytes).toBeLessThan(3 * tookMib * mib);
  });

  it('takes large objects for tables where their references cannot be counted', () => {
    expect(heap(4 * mib, 8 * mib).memoryBytes).toBeGreaterThan(1_500 * mib);
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
