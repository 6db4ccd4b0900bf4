import { type PerformanceEntry, PerformanceObserver, performance } from 'node:perf_hooks';

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
  last: { kind: number; at: string; pauseMs: number } | null;
}

export interface Counters {
  /** Also takes in what has been recorded but not yet delivered. */
  gc(): GcCounts;
}

/**
 * Starts counting garbage collections on the thread it is called on; the same counters when called again. Nothing runs
 * between collections, and nothing is kept per collection. What V8 collects while the loop does not turn is counted when
 * it turns again.
 */
export function installCounters(): Counters {
  const holder = globalThis as { [countersKey]?: Counters };
  const installed = holder[countersKey];
  if (installed) return installed;
  const since = new Date().toISOString();
  const kinds: Record<number, GcCount> = {};
  let last: PerformanceEntry | undefined;
  const count = (entries: PerformanceEntry[]): void => {
    for (const entry of entries) {
      const kind = kindOf(entry);
      kinds[kind] ??= { count: 0, totalPauseMs: 0, maxPauseMs: 0 };
      const counted = kinds[kind];
      counted.count++;
      counted.totalPauseMs += entry.duration;
      counted.maxPauseMs = Math.max(counted.maxPauseMs, entry.duration);
      last = entry;
    }
  };
  const observer = new PerformanceObserver((list) => {
    try {
      count(list.getEntries());
    } catch {
      // it would be the app's uncaught exception: the app has put something else in the place of what is used here
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  const counters: Counters = {
    gc() {
      count(observer.takeRecords());
      return {
        since,
        kinds,
        last: last
          ? {
              kind: kindOf(last),
              at: new Date(performance.timeOrigin + last.startTime + last.duration).toISOString(),
              pauseMs: last.duration,
            }
          : null,
      };
    },
  };
  Object.defineProperty(globalThis, countersKey, { value: counters, configurable: true });
  return counters;
}

function kindOf(entry: PerformanceEntry): number {
  return (entry as PerformanceEntry & { detail: { kind: number } }).detail.kind;
}
