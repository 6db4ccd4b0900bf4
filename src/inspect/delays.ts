/** Delays of an event loop, from how late a timer came. */

/** `periodMs`: after what time it was due. `lateMs`: how late it was. */
export type Late = readonly [periodMs: number, lateMs: number];

/** Time that one value stands for. */
const stepMs = 10;
/** A timer that is late for longer stands for so many steps at most. */
const stepsLimit = 100_000;

/**
 * By how much an event that comes at any moment of the window waits: a timer that was late by 500 ms stands for all that came
 * while it waited, and each of them waited for what was left. So a long turn weighs as much as it lasted.
 */
export function delaysOf(late: readonly Late[]): {
  delayP50Ms: number | null;
  delayP99Ms: number | null;
  delayMaxMs: number | null;
} {
  const values: number[] = [];
  for (const [, lateMs] of late) {
    values.push(Math.max(0, lateMs));
    for (let left = lateMs - stepMs; left > 0 && values.length < stepsLimit; left -= stepMs) values.push(left);
  }
  values.sort((a, b) => a - b);
  return { delayP50Ms: quantile(values, 0.5), delayP99Ms: quantile(values, 0.99), delayMaxMs: values.at(-1) ?? null };
}

/** Between the two values nearest to it; `sorted`: smallest first. Null of none. */
export function quantile(sorted: readonly number[], share: number): number | null {
  if (sorted.length === 0) return null;
  const at = (sorted.length - 1) * share;
  const below = sorted[Math.floor(at)]!;
  return below + (sorted[Math.ceil(at)]! - below) * (at - Math.floor(at));
}
