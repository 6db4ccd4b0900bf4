/** Which of many processes is unlike the others, column by column: robust, so that the odd one does not hide itself. */
import type { Io } from '../io.ts';
import type { Column } from './columns.ts';

/** Fewer figures than this have no outliers: of three, which is the odd one? */
const fewest = 5;
/** Distance from the median in robust standard deviations beyond which a figure is marked (Iglewicz and Hoaglin). */
const threshold = 3.5;
/** Makes the median absolute deviation comparable to a standard deviation. */
const consistency = 1.4826;
/** A figure closer to the median than this share of it is never marked: equal processes differ by a little noise. */
const leastShare = 0.25;

/**
 * Whether each figure lies far from the median of all: more than 3.5 times the scaled median absolute deviation and at least a
 * quarter of the median away, and at least `leastDistance` in its own unit. Nothing is marked among fewer than five.
 */
export function outliers(figures: readonly (number | null)[], leastDistance = 0): boolean[] {
  const known = figures.filter((figure) => figure !== null && Number.isFinite(figure)) as number[];
  if (known.length < fewest) return figures.map(() => false);
  const center = median(known);
  const spread = consistency * median(known.map((figure) => Math.abs(figure - center)));
  const distance = Math.max(threshold * spread, leastShare * Math.abs(center), leastDistance);
  return figures.map((figure) => figure !== null && Number.isFinite(figure) && Math.abs(figure - center) > distance);
}

/** The columns with a `!` behind each cell that is an outlier of its column, in red where `colored`. */
export function markOutliers<T>(columns: readonly Column<T>[], rows: readonly T[], colored: boolean): Column<T>[] {
  return columns.map((column) => {
    const { figure, leastDistance, text } = column;
    if (!figure) return column;
    const marks = outliers(rows.map(figure), leastDistance);
    if (!marks.includes(true)) return column;
    const marked = new Set(rows.filter((_, i) => marks[i]));
    return {
      ...column,
      text(row) {
        const cell = text(row);
        if (!marked.has(row)) return `${cell ?? '-'} `;
        return colored ? `\u001b[31m${cell}!\u001b[39m` : `${cell}!`;
      },
    };
  });
}

/** Whether output may have colors: a terminal that knows them, and nobody said NO_COLOR. */
export function hasColors({ stdout, env }: Pick<Io, 'stdout' | 'env'>): boolean {
  return stdout.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb';
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
