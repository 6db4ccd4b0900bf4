import type { GcKind, MemstatsReply } from '../../../protocol/replies.ts';

/**
 * The longest pause of an interval, as far as it can be told: agents count pauses and keep the longest one since they began to
 * count, so the longest of an interval lies between two bounds. Milliseconds.
 */
export interface Pauses {
  readonly low: number;
  readonly high: number;
}

type Gc = NonNullable<MemstatsReply['gc']>;
const kinds = ['scavenge', 'minorMarkSweep', 'markSweepCompact', 'incremental', 'weakCallbacks'] as const;

/** null when collections are not counted. */
export function pausesBetween(before: MemstatsReply['gc'], after: MemstatsReply['gc']): Pauses | null {
  if (!before || !after || before.since !== after.since) return null;
  const each = kinds.map((kind) => bounds(before[kind], after[kind]));
  const last = latest(before, after);
  return {
    low: Math.max(last, ...each.map(({ low }) => low)),
    high: Math.max(last, ...each.map(({ high }) => high)),
  };
}

function bounds(before: GcKind, after: GcKind): Pauses {
  const count = after.count - before.count;
  const total = after.totalPauseMs - before.totalPauseMs;
  if (count <= 0) return { low: 0, high: 0 };
  // a new record was set in between: it is the longest
  if (after.maxPauseMs > before.maxPauseMs) return { low: after.maxPauseMs, high: after.maxPauseMs };
  return { low: total / count, high: Math.min(after.maxPauseMs, total) };
}

function latest(before: Gc, after: Gc): number {
  return after.last && after.last.at !== before.last?.at ? after.last.pauseMs : 0;
}
