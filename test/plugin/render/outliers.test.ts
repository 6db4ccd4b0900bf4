import { describe, expect, it } from 'vitest';
import { outliers } from '../../../src/plugin/render/outliers.ts';

const marked = (figures: (number | null)[], least?: number) =>
  outliers(figures, least).flatMap((is, i) => (is ? [figures[i]] : []));

describe('outliers', () => {
  it('are figures far from the median of all', () => {
    expect(marked([10, 11, 9, 10, 12, 10, 98])).toEqual([98]);
    expect(marked([100, 101, 99, 100, 3, 100])).toEqual([3]);
  });

  it('are not hidden by each other', () => {
    expect(marked([10, 11, 9, 10, 12, 10, 98, 95, 99])).toEqual([98, 95, 99]);
  });

  it('are found where all others are the same', () => {
    expect(marked([1, 1, 1, 1, 1, 7])).toEqual([7]);
    expect(marked([0, 0, 0, 0, 0, 1])).toEqual([1]);
  });

  it('do not come from noise around equal figures', () => {
    expect(marked([100, 100, 100, 100, 100, 110])).toEqual([]);
    expect(marked([0.1, 0.1, 0.1, 0.1, 0.1, 0.9], 5)).toEqual([]);
  });

  it('are not looked for among few, and never among what is unknown', () => {
    expect(marked([1, 1, 1, 100])).toEqual([]);
    expect(marked([1, 1, 1, 1, null, null, 100])).toEqual([100]);
    expect(marked([null, null, null, null, null])).toEqual([]);
    expect(marked([])).toEqual([]);
  });

  it('are not seen in an even spread', () => {
    expect(marked(Array.from({ length: 100 }, (_, i) => i))).toEqual([]);
  });
});
