/** Figures about a series of samples; robust ones, since one bad second on a shared machine says nothing. */

/** Pairs of points looked at stay below this many squared. */
const slopePoints = 300;
/** Makes the median absolute deviation of normally distributed samples their standard deviation. */
const madToDeviation = 1.4826;

/** The smallest sample that `share` of them do not exceed (nearest rank); null for none. */
export function quantile(samples: readonly number[], share: number): number | null {
  if (samples.length === 0) return null;
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(sorted.length * share) - 1))]!;
}

/** null for none */
export function median(samples: readonly number[]): number | null {
  if (samples.length === 0) return null;
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function mean(samples: readonly number[]): number | null {
  return samples.length === 0 ? null : samples.reduce((sum, value) => sum + value, 0) / samples.length;
}

/** How far samples usually lie from their median, as a standard deviation that outliers do not move. */
export function noise(samples: readonly number[]): number {
  const middle = median(samples);
  if (middle === null) return 0;
  return madToDeviation * median(samples.map((value) => Math.abs(value - middle)))!;
}

export interface Point {
  readonly atMs: number;
  readonly value: number;
}

/**
 * What a series grows by from its first to its last point, by the Theil–Sen line: the median of the slopes between all pairs,
 * which up to 29 % of outliers do not move. `start` is the line's value at the first point. null below two moments.
 */
export function growth(points: readonly Point[]): { start: number; by: number } | null {
  const step = Math.max(1, Math.ceil(points.length / slopePoints));
  const taken = points.filter((_, index) => index % step === 0 || index === points.length - 1);
  const slopes = taken.flatMap((a, i) =>
    taken.slice(i + 1).flatMap((b) => (b.atMs > a.atMs ? [(b.value - a.value) / (b.atMs - a.atMs)] : [])),
  );
  const slope = median(slopes);
  if (slope === null) return null;
  const [first, last] = [taken[0]!, taken.at(-1)!];
  const start = median(taken.map(({ atMs, value }) => value - slope * (atMs - first.atMs)))!;
  return { start, by: slope * (last.atMs - first.atMs) };
}
