/** What findings about growth have alike. */
import { bytesShort, duration } from '../../protocol/text/quantities.ts';
import type { Evidence } from '../evidence/evidence.ts';
import type { Trend } from '../evidence/trend.ts';

/** Growth that is told, whatever the size: less is a cache being filled, or noise. */
export const leastGrowthBytes = 1024 * 1024;
export const leastBytesPerSecond = 8 * 1024;
/** Share of the steps that must go up. */
export const leastSteady = 0.6;

export function grows(trend: Trend | null, leastShare = 0.05): trend is Trend {
  if (!trend) return false;
  const growth = trend.to - trend.from;
  return (
    trend.steady >= leastSteady &&
    trend.perSecond >= leastBytesPerSecond &&
    growth >= Math.max(leastGrowthBytes, trend.from * leastShare)
  );
}

/** `1.2MB/s over 40s (80MB to 128MB)`. */
export function growthText({ perSecond, seconds, from, to }: Trend): string {
  return `${bytesShort(perSecond)}/s over ${duration(seconds * 1000)} (${bytesShort(from)} to ${bytesShort(to)})`;
}

/** Seconds until a limit is met at this rate; null without a limit. */
export function secondsTo(limitBytes: number | null | undefined, { to, perSecond }: Trend): number | null {
  return limitBytes && perSecond > 0 ? Math.max(0, (limitBytes - to) / perSecond) : null;
}

export function untilText(seconds: number | null, what: string): string {
  return seconds === null || seconds > 30 * 86_400 ? '' : `; ${what} in ${duration(seconds * 1000)} at this rate`;
}

/** More, the sooner it ends the process: 0.85 within minutes, 0.5 within a day. */
export function growthWeight(seconds: number | null): number {
  if (seconds === null) return 0.55;
  return Math.min(0.85, Math.max(0.5, 0.9 - 0.08 * Math.log10(Math.max(1, seconds / 60)) * 1.5));
}

/** ISO 8601, when the growth that is told began to be seen. */
export function seenSince({ case: { at } }: Evidence, { seconds }: Trend, lookMs: number): string | null {
  return seconds * 1000 > lookMs + 2_000 ? new Date(Date.parse(at) + lookMs - seconds * 1000).toISOString() : null;
}

export function memoryOf({ case: { moments } }: Evidence) {
  return moments.at(-1)?.memory ?? null;
}

/** The nearer of V8's limit and the container's. */
export function limitOf(e: Evidence): number | null {
  const memory = memoryOf(e);
  const limits = [memory?.cgroup?.limitBytes, e.case.pod?.memoryLimitBytes].filter(
    (limit) => typeof limit === 'number',
  );
  return limits.length > 0 ? Math.min(...limits) : null;
}
