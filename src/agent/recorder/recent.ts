/** What `stats` says of the event loop and the CPU when nobody asked it to watch: the last seconds, as they were recorded. */
import type { StatsReply } from '../../protocol/replies.ts';
import { takeSamples } from './history.ts';
import { fineMs, type Sample } from './samples.ts';
import type { Watch } from './watch.ts';

/** Milliseconds that are summed up, at most. */
export const recentMs = 10_000;

export interface Recent {
  readonly eventLoop: StatsReply['eventLoop'];
  readonly percent: number | null;
}

/** Undefined in the first second of a process. */
export function readRecent({ recording, delays, current }: Watch, now = Date.now()): Recent | undefined {
  const samples = takeSamples(recording, now - recentMs)?.filter(({ at }) => at <= now);
  const last = samples?.at(-1);
  if (!samples || !last) return undefined;
  const stall = current();
  // a turn under way for long says more than the seconds before it
  if (stall) {
    const { durationMs } = stall;
    const delay = { delayP50Ms: durationMs, delayP99Ms: durationMs, delayMaxMs: durationMs };
    return { eventLoop: { utilization: 1, ...delay, windowMs: durationMs }, percent: stall.cpuPercent };
  }
  const windowMs = Math.min(recentMs, last.at - samples[0]!.at + fineMs);
  const late = (share: number) => delays.quantile(share, windowMs) ?? null;
  return {
    eventLoop: {
      utilization: mean(samples, 'utilization'),
      delayP50Ms: late(0.5),
      delayP99Ms: late(0.99),
      delayMaxMs: Math.max(...samples.map(({ max }) => max.delayMaxMs ?? 0)),
      windowMs,
    },
    percent: mean(samples, 'cpuPercent'),
  };
}

function mean(samples: readonly Sample[], column: 'utilization' | 'cpuPercent'): number | null {
  const known = samples.map(({ mean }) => mean[column] ?? Number.NaN).filter((value) => !Number.isNaN(value));
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}
