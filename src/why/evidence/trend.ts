/** Whether a figure that goes up and down has grown: by the lowest values of equal stretches of time, which no garbage lifts. */

export interface Point {
  readonly atMs: number;
  readonly value: number;
}

export interface Trend {
  readonly seconds: number;
  readonly from: number;
  readonly to: number;
  readonly perSecond: number;
  /** Share of the steps that went up, 0 to 1. */
  readonly steady: number;
  /** Of all that it went up by, the largest step, 0 to 1. */
  readonly largestStep: number;
}

const stretches = 6;

/** Null of fewer points than stretches, or of less than two seconds. */
export function trendOf(points: readonly Point[]): Trend | null {
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last || points.length < stretches || last.atMs - first.atMs < 2_000) return null;
  const spanMs = last.atMs - first.atMs;
  const lowest: Point[] = [];
  for (let index = 0; index < stretches; index++) {
    const [from, until] = [index, index + 1].map((n) => first.atMs + (spanMs * n) / stretches) as [number, number];
    const own = points.filter(({ atMs }) => atMs >= from && (atMs < until || index === stretches - 1));
    const low = own.reduce<Point | undefined>(
      (best, point) => (best && best.value <= point.value ? best : point),
      undefined,
    );
    if (low) lowest.push(low);
  }
  if (lowest.length < 3) return null;
  const [from, to] = [lowest[0]!, lowest.at(-1)!];
  const steps = lowest.slice(1).filter((point, index) => point.value > lowest[index]!.value);
  return {
    seconds: spanMs / 1000,
    from: from.value,
    to: to.value,
    perSecond: slope(lowest),
    steady: steps.length / (lowest.length - 1),
    largestStep: largestOf(lowest),
  };
}

function largestOf(points: readonly Point[]): number {
  const steps = points.slice(1).map(({ value }, index) => Math.max(0, value - points[index]!.value));
  const all = steps.reduce((sum, step) => sum + step, 0);
  return all > 0 ? Math.max(...steps) / all : 0;
}

/** Per second, by least squares. */
function slope(points: readonly Point[]): number {
  const mean = (of: (point: Point) => number) => points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [x, y] = [mean(({ atMs }) => atMs / 1000), mean(({ value }) => value)];
  const over = points.reduce((sum, { atMs, value }) => sum + (atMs / 1000 - x) * (value - y), 0);
  const under = points.reduce((sum, { atMs }) => sum + (atMs / 1000 - x) ** 2, 0);
  return under > 0 ? over / under : 0;
}
