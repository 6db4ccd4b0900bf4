/** One row of `top`: what a process does, from two replies of its agent and the difference to the ones before. */
import type { Envelope, MemstatsReply, StatsReply } from '../../../protocol/replies.ts';

export interface Sample {
  /** 100 is one core. */
  readonly cpuPercent: number | null;
  /** Share of the time since the last sample that the cgroup's quota held the process back, 0 to 1. */
  readonly throttled: number | null;
  readonly utilization: number | null;
  readonly delayP99Ms: number | null;
  readonly heapUsedBytes: number | null;
  readonly heapLimitBytes: number | null;
  readonly externalBytes: number | null;
  readonly rssBytes: number | null;
  readonly limitBytes: number | null;
  /** Share of the time since the last sample spent in garbage collection pauses, 0 to 1. */
  readonly gcShare: number | null;
  readonly handles: number | null;
  /** One sentence when the main thread is stuck in native code. */
  readonly stuck: string | null;
}

/** What is kept of a poll to compare the next one with. */
export interface Poll {
  readonly atMs: number;
  readonly stats: Envelope<StatsReply>;
  readonly memory: Envelope<MemstatsReply>;
}

export function toSample({ atMs, stats, memory }: Poll, before: Poll | undefined): Sample {
  const { data } = stats;
  const elapsedMs = before ? atMs - before.atMs : 0;
  const over = (now: number | null, then: number | null | undefined): number | null =>
    now === null || then === null || then === undefined || elapsedMs <= 0
      ? null
      : Math.min(1, Math.max(0, (now - then) / elapsedMs));
  const throttledMs = ({ cpu }: StatsReply) => (cpu.throttledSeconds === null ? null : cpu.throttledSeconds * 1000);
  return {
    cpuPercent: data.cpu.percent,
    throttled: over(throttledMs(data), before && throttledMs(before.stats.data)),
    utilization: data.eventLoop.utilization,
    delayP99Ms: data.eventLoop.delayP99Ms ?? data.eventLoop.delayMaxMs,
    heapUsedBytes: memory.data.heap?.usedBytes ?? null,
    heapLimitBytes: memory.data.heap?.limitBytes ?? null,
    externalBytes: memory.data.heap?.externalBytes ?? null,
    rssBytes: memory.data.rssBytes,
    limitBytes: memory.data.cgroup?.limitBytes ?? null,
    gcShare: over(gcPauseMs(memory.data), before && gcPauseMs(before.memory.data)),
    handles: data.handles?.total ?? null,
    stuck: stats.stuck?.summary ?? null,
  };
}

function gcPauseMs({ gc }: MemstatsReply): number | null {
  if (!gc) return null;
  return [gc.scavenge, gc.minorMarkSweep, gc.markSweepCompact, gc.incremental, gc.weakCallbacks].reduce(
    (sum, { totalPauseMs }) => sum + totalPauseMs,
    0,
  );
}
