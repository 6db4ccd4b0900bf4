/** What `stats` says of the event loop and the CPU when nobody asked it to watch: the last seconds, as they were recorded. */
import type { StatsReply } from '../../protocol/replies.ts';
import { takeSamples } from './history.ts';
import { fineMs, type Sample } from './samples.ts';
import type { Watch } from './watch.ts';

/** Milliseconds that are summed up, at most. */
export const recentMs = 10_000;
/** A turn under way for longer says more than the seconds before it; a shorter one is part of them. */
const aloneMs = 1_000;

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
  if (stall && stall.durationMs >= aloneMs) {
    const { durationMs } = stall;
    const delay = { delayP50Ms: durationMs, delayP99Ms: durationMs, delayMaxMs: durationMs };
    return { eventLoop: { utilization: 1, ...delay, windowMs: durationMs }, percent: stall.cpuPercent };
  }
  const recordedMs = Math.min(recentMs, last.at - samples[0]!.at + fineMs);
  // what is of the turn under way was not recorded yet
  const underWayMs = stall ? Math.max(0, Math.min(stall.durationMs, now - last.at)) : 0;
  const windowMs = recordedMs + underWayMs;
  const turn = stall ? [[stall.durationMs, underWayMs / stall.durationMs] as const] : [];
  const late = (share: number) => delays.quantile(share, recordedMs, turn, underWayMs) ?? null;
  const together = (recorded: number | null, underWay: number) =>
    recorded === null ? null : (recorded * recordedMs + underWay * underWayMs) / windowMs;
  return {
    eventLoop: {
      utilization: together(mean(samples, 'utilization'), 1),
      delayP50Ms: late(0.5),
      delayP99Ms: late(0.99),
      delayMaxMs: Math.max(stall?.durationMs ?? 0, ...samples.map(({ max }) => max.delayMaxMs ?? 0)),
      windowMs,
    },
    percent: together(mean(samples, 'cpuPercent'), stall?.cpuPercent ?? 0),
  };
}

function mean(samples: readonly Sample[], column: 'utilization' | 'cpuPercent'): number | null {
  const known = samples.map(({ mean }) => mean[column] ?? Number.NaN).filter((value) => !Number.isNaN(value));
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}
