/** What captures ask inside the target; see evaluate.ts for what such a function may use. */
import type { LoadModule } from '../evaluate.ts';

export function heapLimitProbe(_: object, load: LoadModule): { heapLimitBytes: number } {
  const v8 = load('v8') as typeof import('node:v8');
  return { heapLimitBytes: v8.getHeapStatistics().heap_size_limit };
}

export function buffersProbe(_: object, load: LoadModule): number {
  return (load('process') as NodeJS.Process).memoryUsage().arrayBuffers;
}

/** Bytes of the heap whose number of objects is not known, and what can be said of the rest. */
export interface HeapFigures {
  readonly nodeMajor: number;
  readonly heapUsedBytes: number;
  /** In spaces of small objects. */
  readonly smallBytes: number;
  /** In spaces that give every object (of more than some 128 KiB) pages of its own. */
  readonly largeBytes: number;
}

export function heapFiguresProbe(_: object, load: LoadModule): HeapFigures {
  const v8 = load('v8') as typeof import('node:v8');
  let smallBytes = 0;
  let largeBytes = 0;
  for (const { space_name: name, space_used_size: used } of v8.getHeapSpaceStatistics()) {
    if (name.includes('large_object')) largeBytes += used;
    else if (!name.includes('read_only')) smallBytes += used;
  }
  return {
    nodeMajor: Number.parseInt(process.versions.node, 10),
    heapUsedBytes: v8.getHeapStatistics().used_heap_size,
    smallBytes,
    largeBytes,
  };
}

export function reportProbe(): string {
  const { report } = process as unknown as { report?: { excludeNetwork?: boolean; getReport(): object } };
  if (!report) return '';
  // names of peers would be looked up, and DNS may take its time while the app waits
  const before = report.excludeNetwork;
  try {
    if (before !== undefined) report.excludeNetwork = true;
    return JSON.stringify(report.getReport());
  } finally {
    if (before !== undefined) report.excludeNetwork = before;
  }
}
