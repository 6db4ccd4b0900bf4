import type v8 from 'node:v8';
import type { Counters, GcCounts } from '../counters.ts';
import type { LoadModule } from '../evaluate.ts';

export interface MemoryFigures {
  heap: v8.HeapInfo | null;
  spaces: v8.HeapSpaceInfo[] | null;
  memory: { arrayBuffers: number; external: number; rss: number } | null;
  gc: GcCounts | null;
  /** Options it was started with, and `process.versions.v8`. */
  options: string;
  v8: string;
}

/** Runs in the target: its heap as V8 tells it, and the agent's counters if there are any. See evaluate.ts for its limits. */
export function memoryProbe(_: null, load: LoadModule): MemoryFigures {
  const try_ = {
    or<T>(read: () => T): T | null {
      try {
        return read();
      } catch {
        return null;
      }
    },
  };
  const proc = load('process') as NodeJS.Process;
  return {
    options: try_.or(() => `${proc.env.NODE_OPTIONS ?? ''} ${proc.execArgv.join(' ')}`) ?? '',
    v8: try_.or(() => proc.versions.v8) ?? '',
    heap: try_.or(() => (load('v8') as typeof v8).getHeapStatistics()),
    spaces: try_.or(() => (load('v8') as typeof v8).getHeapSpaceStatistics()),
    memory: try_.or(() => proc.memoryUsage()),
    gc: try_.or(
      () => (globalThis as unknown as Record<symbol, Counters>)[Symbol.for('nodeops.counters')]?.gc() ?? null,
    ),
  };
}
