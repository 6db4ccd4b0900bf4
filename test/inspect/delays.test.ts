/** Delays against what they stand for: an event that comes at any moment of the window, and waits for what is left of the turn. */
import { expect, it } from 'vitest';
import { delaysOf, quantile } from '../../src/inspect/delays.ts';

it('nothing looked at is nothing known', () => {
  expect(delaysOf([])).toEqual({ delayP50Ms: null, delayP99Ms: null, delayMaxMs: null });
});

it('timers that come in time are no delay, nor are those that come early', () => {
  expect(delaysOf([...Array(100)].map(() => [10, 0] as const))).toEqual({
    delayP50Ms: 0,
    delayP99Ms: 0,
    delayMaxMs: 0,
  });
  expect(delaysOf([[10, -3]])).toEqual({ delayP50Ms: 0, delayP99Ms: 0, delayMaxMs: 0 });
});

it('one block of half a second in ten seconds counts for its share of the time', () => {
  // 950 timers in time stand for 9.5 s
  const { delayP50Ms, delayP99Ms, delayMaxMs } = delaysOf([...[...Array(950)].map(() => [10, 0] as const), [10, 500]]);
  expect(delayP50Ms).toBe(0);
  // who comes in the worst hundredth of the time comes in the first 100 ms of the block
  expect(delayP99Ms).toBeGreaterThanOrEqual(390);
  expect(delayP99Ms).toBeLessThanOrEqual(410);
  expect(delayMaxMs).toBe(500);
});

it('a loop that is always late by 80 ms has half its events wait for 40 ms', () => {
  const { delayP50Ms, delayMaxMs } = delaysOf([...Array(50)].map(() => [10, 80] as const));
  expect(delayP50Ms).toBeGreaterThanOrEqual(35);
  expect(delayP50Ms).toBeLessThanOrEqual(50);
  expect(delayMaxMs).toBe(80);
});

it('a block of a day stays within bounds', () => {
  expect(delaysOf([[10, 86_400_000]]).delayMaxMs).toBe(86_400_000);
});

it('quantiles lie between their neighbours', () => {
  expect(quantile([], 0.5)).toBeNull();
  expect(quantile([7], 0.99)).toBe(7);
  expect(quantile([0, 10], 0.5)).toBe(5);
  expect(quantile([0, 10, 20], 0.75)).toBe(15);
  expect(quantile([1, 2, 3], 1)).toBe(3);
});
