/** What findings read: figures over the look, put together once from the case. */
import type { SeriesName } from '../../protocol/figures.ts';
import type { MemstatsReply, SocketInfo } from '../../protocol/replies.ts';
import type { Case, Moment } from '../case.ts';
import { type Point, type Trend, trendOf } from './trend.ts';
import { type Work, workOf } from './work.ts';

type MemoryFigure = 'heapUsedBytes' | 'heapTotalBytes' | 'arrayBuffersBytes' | 'externalBytes' | 'rssBytes';

export interface Evidence {
  readonly case: Case;
  readonly work: readonly Work[];
  /** Share of the look that the main thread was not idle, 0 to 1. */
  readonly busy: number;
  /** The longest that the loop did not turn, by whoever saw it. */
  readonly worstMs: number;
  /** CPU of the process, 100 is one core; null where unknown. */
  readonly cpuPercent: number | null;
  /** Of the main thread's wish to run, what it got a CPU for, 0 to 1; 1 where the kernel does not tell. */
  readonly served: number;
  readonly gc: GcRates | null;
  readonly trends: Readonly<Record<MemoryFigure, Trend | null>>;
  /** Whether somebody waits for this process: it has a server, or peers. */
  readonly serves: boolean;
  /** Without the agents' own. */
  readonly sockets: readonly SocketInfo[];
}

export interface GcRates {
  /** Share of the look in pauses, 0 to 1. */
  readonly share: number;
  readonly majorsPerSecond: number;
  readonly majors: number;
}

export function evidenceOf(c: Case): Evidence {
  const sockets = appSockets(c);
  const work = workOf(c);
  return {
    case: c,
    work,
    busy: busyOf(c),
    worstMs: worstOf(c, work),
    cpuPercent: mean(c.moments.map(({ stats }) => stats.cpu.percent)),
    served: servedOf(c.moments),
    gc: gcOf(c.moments),
    trends: {
      heapUsedBytes: trendOf(points(c, ({ heap }) => heap?.usedBytes, 'heapUsedBytes')),
      heapTotalBytes: trendOf(points(c, ({ heap }) => heap?.totalBytes, 'heapTotalBytes')),
      arrayBuffersBytes: trendOf(points(c, ({ heap }) => heap?.arrayBuffersBytes)),
      externalBytes: trendOf(points(c, ({ heap }) => heap?.externalBytes, 'externalBytes')),
      rssBytes: trendOf(points(c, ({ rssBytes }) => rssBytes, 'rssBytes')),
    },
    serves: servesOf(c, sockets),
    sockets,
  };
}

function busyOf({ moments, cpu, stacks }: Case): number {
  const seen = moments.map(({ stats, stuck }) => (stuck ? 1 : stats.eventLoop.utilization));
  const byLoop = mean(seen);
  const running = stacks.filter(({ threads }) =>
    threads.some(({ thread, state }) => thread === 'main' && state !== 'idle'),
  );
  const byStacks = stacks.length >= 5 ? running.length / stacks.length : null;
  return byLoop ?? (cpu ? 1 - cpu.idleMs / cpu.durationMs : (byStacks ?? 0));
}

function worstOf({ moments, stacks }: Case, work: readonly Work[]): number {
  return Math.max(
    0,
    ...moments.map(({ stats, stuck }) => stuck?.forMs ?? stats.eventLoop.delayMaxMs ?? 0),
    ...stacks.map(({ stuck }) => stuck?.forMs ?? 0),
    ...work.map(({ worstMs }) => worstMs),
  );
}

export function mean(values: readonly (number | null | undefined)[]): number | null {
  const known = values.filter((value): value is number => typeof value === 'number');
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}

function servedOf(moments: readonly Moment[]): number {
  const main = moments.flatMap(({ stats }) => stats.threadUse?.filter(({ kind }) => kind === 'main') ?? []);
  const ran = mean(main.map(({ percent }) => percent));
  const waited = mean(main.map(({ waitingPercent }) => waitingPercent));
  return ran === null || waited === null || ran + waited < 1 ? 1 : ran / (ran + waited);
}

function gcOf(moments: readonly Moment[]): GcRates | null {
  const known = moments.filter(({ memory }) => memory.gc !== null);
  const [first, last] = [known[0], known.at(-1)];
  if (!first?.memory.gc || !last?.memory.gc || last.atMs - first.atMs < 500) return null;
  const [before, after] = [first.memory.gc, last.memory.gc];
  const kinds = ['scavenge', 'minorMarkSweep', 'markSweepCompact', 'incremental', 'weakCallbacks'] as const;
  const pauseMs = kinds.reduce((sum, kind) => sum + after[kind].totalPauseMs - before[kind].totalPauseMs, 0);
  const majors = after.markSweepCompact.count - before.markSweepCompact.count;
  const ms = last.atMs - first.atMs;
  return { share: Math.min(1, Math.max(0, pauseMs / ms)), majorsPerSecond: (majors / ms) * 1000, majors };
}

/** The recorder's past before the look, and the look itself; times count from the look's begin. */
function points(
  { past, moments, at }: Case,
  figure: (memory: MemstatsReply) => number | null | undefined,
  recorded?: SeriesName,
): Point[] {
  const began = Date.parse(at);
  const before = (past && recorded ? past.times : []).flatMap((time, index) => {
    const value = past!.series[recorded!]?.mean[index];
    return typeof value === 'number' && time < began ? [{ atMs: time - began, value }] : [];
  });
  const now = moments.flatMap(({ atMs, memory }) => {
    const value = figure(memory);
    return typeof value === 'number' ? [{ atMs, value }] : [];
  });
  return [...before, ...now];
}

function appSockets({ sockets, subject }: Case): SocketInfo[] {
  const own = new Set(subject.ownPorts.map(String));
  const isOwn = (address: string | null) => own.has(/:(\d+)$/.exec(address ?? '')?.[1] ?? '');
  return (sockets.at(-1)?.reply ?? []).filter(({ local, remote }) => !isOwn(local) && !isOwn(remote));
}

function servesOf({ waits }: Case, sockets: readonly SocketInfo[]): boolean {
  const listening = sockets.some(({ state, protocol }) => state === 'LISTEN' && protocol.startsWith('tcp'));
  return listening || waits.some(({ reply }) => reply.waits.some(({ kind }) => kind === 'server'));
}
