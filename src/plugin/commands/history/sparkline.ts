/** One line of blocks: values over time, as high as they are. */

const blocks = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const plain = ['_', '.', '-', '=', '+', '*', '%', '#'];

export interface SparklineOptions {
  readonly width: number;
  /** What the highest block stands for. */
  readonly top: number;
  readonly ascii?: boolean;
}

/**
 * `values` with their times, drawn between `from` and `to`: each column shows the highest of its time. A blank is a time of which
 * nothing is known.
 */
export function sparkline(
  times: readonly number[],
  values: readonly (number | null)[],
  { from, to }: { from: number; to: number },
  { width, top, ascii = false }: SparklineOptions,
): string {
  const heights = ascii ? plain : blocks;
  const highest: (number | undefined)[] = Array.from({ length: width });
  times.forEach((time, index) => {
    const value = values[index] ?? null;
    if (value === null) return;
    const column = Math.min(width - 1, Math.max(0, Math.ceil(((time - from) / (to - from)) * width) - 1));
    highest[column] = Math.max(highest[column] ?? Number.NEGATIVE_INFINITY, value);
  });
  return highest
    .map((value, column) => {
      const shown = value ?? bridged(highest, column, times.length);
      if (shown === undefined) return ' ';
      return heights[Math.min(heights.length - 1, Math.max(0, Math.floor((shown / top) * heights.length)))];
    })
    .join('');
}

/** With fewer samples than columns, those between two samples show the earlier one. */
function bridged(highest: readonly (number | undefined)[], column: number, samples: number): number | undefined {
  const reach = Math.ceil((highest.length / Math.max(1, samples)) * 2);
  const before = highest.slice(Math.max(0, column - reach), column).findLast((value) => value !== undefined);
  const after = highest.slice(column + 1, column + 1 + reach).some((value) => value !== undefined);
  return after ? before : undefined;
}
