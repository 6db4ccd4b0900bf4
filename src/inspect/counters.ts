/**
 * What V8 and libuv count of a main thread without running JavaScript on it: collections, and turns of the event loop. Installed where a worker
 * watches, which reads them through the inspector.
 */
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { GCProfiler } from 'node:v8';
import { ownHeapLimit } from './heap-limit.ts';

/** Where installed counters are found from the inspector: `globalThis[countersKey]`, not enumerable. */
export const countersKey = Symbol.for('nodeops.counters');

export interface GcCount {
  count: number;
  totalPauseMs: number;
  maxPauseMs: number;
}
export interface GcCounts {
  /** ISO 8601, when counting began */
  since: string;
  /** By V8's number of the kind: 1 scavenge, 2 minor mark-sweep, 4 mark-sweep-compact, 8 incremental, 16 weak callbacks. */
  kinds: Record<number, GcCount>;
  /** `at` is when it was read: within a second where a worker watches. */
  last: { kind: number; at: string; pauseMs: number } | null;
}

/** What a watcher takes from a main thread, in one question. */
export interface Pulse {
  /** Milliseconds in which the event loop ran callbacks. */
  readonly activeMs: number;
  /** Turns of the event loop so far; null where libuv does not say. */
  readonly turns: number | null;
  readonly heapUsedBytes: number;
  readonly heapTotalBytes: number;
  readonly externalBytes: number;
  readonly heapLimitBytes: number;
  readonly minorGcs: number;
  readonly majorGcs: number;
  readonly gcPauseMs: number;
  readonly gcMaxPauseMs: number;
}

export interface Counters {
  gc(): GcCounts;
  /** `timed`: whether turns are measured by a timer, where Node cannot do without. */
  pulse(timed: boolean): Pulse;
  /** Turns of the event loop in nanoseconds: a copy in another thread sees the same figures. */
  readonly turns: ReturnType<typeof monitorEventLoopDelay>;
  /** Whether each turn is counted as it ends. Otherwise a timer of `timerMs` is, from how late it comes. */
  readonly perTurn: boolean;
  uninstall(): void;
}

/** Where turns are not counted. */
export const timerMs = 20;

const kindsOf: Readonly<Record<string, number>> = {
  Scavenge: 1,
  MinorMarkSweep: 2,
  MinorMarkCompact: 2,
  MarkSweepCompact: 4,
  IncrementalMarking: 8,
  ProcessWeakCallbacks: 16,
};

/** Starts counting on the thread it is called on; the same counters when called again. */
export function installCounters(): Counters {
  const holder = globalThis as { [countersKey]?: Counters };
  const installed = holder[countersKey];
  if (installed) return installed;
  // an app may replace these, or count their calls
  const { memoryUsage } = process;
  const utilization = performance.eventLoopUtilization.bind(performance);
  const { nodeTiming } = performance as unknown as { nodeTiming: { uvMetricsInfo?: { loopCount: number } } };
  const now = Date.now;
  const iso = (at: number) => new Date(at).toISOString();
  const since = iso(now());
  const kinds: Record<number, GcCount> = {};
  let last: GcCounts['last'] = null;
  let profiler: GCProfiler | undefined = new GCProfiler();
  profiler.start();
  const perTurn = countsTurns(process.versions.node);
  const turns = monitorEventLoopDelay({ resolution: timerMs, ...(perTurn && { samplePerIteration: true }) });
  if (perTurn) turns.enable();

  function take(): void {
    const { statistics } = profiler?.stop() ?? { statistics: [] };
    if (profiler) {
      profiler = new GCProfiler();
      profiler.start();
    }
    for (const { gcType, cost } of statistics) {
      const kind = kindsOf[gcType] ?? 0;
      const pauseMs = cost / 1_000;
      kinds[kind] ??= { count: 0, totalPauseMs: 0, maxPauseMs: 0 };
      const counted = kinds[kind];
      counted.count++;
      counted.totalPauseMs += pauseMs;
      counted.maxPauseMs = Math.max(counted.maxPauseMs, pauseMs);
      last = { kind, at: iso(now()), pauseMs };
    }
  }

  const counters: Counters = {
    turns,
    perTurn,
    gc() {
      take();
      return { since, kinds, last };
    },
    pulse(timed) {
      take();
      if (!perTurn) timed ? turns.enable() : turns.disable();
      const memory = memoryUsage.call(process);
      const all = Object.values(kinds);
      return {
        activeMs: utilization().active,
        turns: nodeTiming.uvMetricsInfo?.loopCount ?? null,
        heapUsedBytes: memory.heapUsed,
        heapTotalBytes: memory.heapTotal,
        externalBytes: Math.max(memory.external, memory.arrayBuffers),
        heapLimitBytes: ownHeapLimit(),
        minorGcs: (kinds[1]?.count ?? 0) + (kinds[2]?.count ?? 0),
        majorGcs: kinds[4]?.count ?? 0,
        gcPauseMs: all.reduce((sum, { totalPauseMs }) => sum + totalPauseMs, 0),
        gcMaxPauseMs: all.reduce((max, { maxPauseMs }) => Math.max(max, maxPauseMs), 0),
      };
    },
    uninstall() {
      profiler?.stop();
      profiler = undefined;
      turns.disable();
      Reflect.deleteProperty(holder, countersKey);
    },
  };
  Object.defineProperty(globalThis, countersKey, { value: counters, configurable: true });
  return counters;
}

/** Whether monitorEventLoopDelay can sample each turn, without a timer of its own. */
export function countsTurns(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return (major === 24 && minor >= 19) || (major === 26 && minor >= 5) || major > 26;
}
