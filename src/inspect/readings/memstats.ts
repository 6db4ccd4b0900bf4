import type v8 from 'node:v8';
import { getHeapStatistics } from 'node:v8';
import { readMemoryCgroup } from '../../proc/cgroup.ts';
import { readResident } from '../../proc/memory.ts';
import { readStatus } from '../../proc/status.ts';
import type { GcKind, MemstatsReply, ResidentMemory, WorkerHeap } from '../../protocol/replies.ts';
import { askMainThread, recall, remember, within } from '../ask.ts';
import type { GcCounts } from '../counters.ts';
import { evaluateProbe, type RemoteObject } from '../evaluate.ts';
import { oldSpaceLimit } from '../heap-limit.ts';
import type { Inspector } from '../inspector.ts';
import { type MemoryFigures, memoryProbe } from '../probes/memory.ts';
import type { Readings, Subject } from '../subject.ts';
import { attachWorkers, workersAsked } from '../workers.ts';

type FromMain = Pick<MemstatsReply, 'heap' | 'spaces' | 'gc' | 'workers'>;

/** Spaces of the young generation, and those that all isolates share; the others are the old one. */
const notOld = /^(?:new_|read_only_)/;
/** A worker that is silent for so long is in native code. */
const workerSilenceMs = 250;

/** `memstats`: RSS and cgroup from the kernel, everything else from V8 on the main thread and in workers. */
export const readMemstats: Readings['memstats'] = async (subject, { explain }) => {
  const [answer, status, cgroup] = await Promise.all([
    askMainThread(subject, async (inspector) => ({
      memory: await evaluateProbe(inspector, memoryProbe, null),
      workers: await readWorkers(inspector, subject),
    })),
    readStatus(subject.procDir),
    readMemoryCgroup(subject.procDir),
  ]);
  const rssBytes = status?.rssBytes ?? answer.value?.memory.memory?.rss ?? null;
  const notes: string[] = [];
  let figures: FromMain = { heap: null, spaces: null, gc: null, workers: null };
  if (!answer.stuck)
    figures = remember(subject, 'memstats', fromMain(subject, answer.value.memory, answer.value.workers));
  else {
    const known = recall<FromMain>(subject, 'memstats', 'heap figures');
    figures = known.figures ?? figures;
    notes.push(known.note);
  }
  const resident = explain ? explained(subject, figures) : undefined;
  if (resident === null) notes.push('what RSS is made of cannot be seen here: other user, or no /proc');
  const data = { rssBytes, peakRssBytes: status?.peakRssBytes ?? null, ...figures, cgroup };
  return { data: resident === undefined ? data : { ...data, resident }, stuck: answer.stuck, notes };
};

const workerHeap =
  "typeof process === 'object' && process.getBuiltinModule ? { ...process.getBuiltinModule('v8').getHeapStatistics(), ...process.memoryUsage() } : undefined";

/** Null where none tells. */
async function readWorkers(inspector: Inspector, { ownThreadId }: Subject): Promise<WorkerHeap[]> {
  const lines = (await attachWorkers(inspector, ownThreadId)).slice(0, workersAsked);
  const answers = lines.map(async ({ threadId, name, inspector }): Promise<WorkerHeap[]> => {
    const post = inspector.post<{ result: RemoteObject<v8.HeapInfo & NodeJS.MemoryUsage> }>('Runtime.evaluate', {
      ...{ expression: workerHeap, returnByValue: true, silent: true },
    });
    const { value } = (await within(workerSilenceMs, post)).result;
    if (!value) return [];
    const { used_heap_size: usedBytes, total_heap_size: totalBytes, arrayBuffers } = value;
    return [{ threadId, name, usedBytes, totalBytes, externalBytes: Math.max(value.external, arrayBuffers) }];
  });
  return (await Promise.all(answers.map((answer) => answer.catch(() => [])))).flat();
}

function explained({ procDir, ownThreadId }: Subject, { heap, workers }: FromMain): ResidentMemory | null {
  const parts = readResident(procDir);
  if (!parts) return null;
  const { mainHeapBytes, arenasBytes, largeBytes, arenas, arenaMax, allocator, ...rest } = parts;
  const malloc = mainHeapBytes + arenasBytes + largeBytes;
  const buffers = heap && heap.arrayBuffersBytes + (workers ?? []).reduce((sum, of) => sum + of.externalBytes, 0);
  const arrayBuffersBytes = buffers === null ? null : Math.min(buffers, malloc);
  return {
    ...rest,
    arrayBuffersBytes,
    nativeBytes: malloc - (arrayBuffersBytes ?? 0),
    agentBytes: ownThreadId === undefined ? null : getHeapStatistics().total_physical_size,
    allocator: { name: allocator, mainHeapBytes, arenasBytes, largeBytes, arenas, arenaMax },
  };
}

function fromMain(subject: Subject, figures: MemoryFigures, workers: WorkerHeap[]): FromMain {
  const { heap, spaces, memory, gc, options, v8 } = figures;
  const old = spaces?.filter(({ space_name: name }) => !notOld.test(name));
  return {
    workers,
    heap: heap && {
      totalBytes: heap.total_heap_size,
      usedBytes: heap.used_heap_size,
      limitBytes: oldSpaceLimit({ reservedBytes: heap.heap_size_limit, options, v8 }),
      reservedBytes: heap.heap_size_limit,
      oldUsedBytes: old?.reduce((sum, { space_used_size: used }) => sum + used, 0) ?? null,
      live: (subject.lastKnown.get('live heap') as LiveHeap | undefined) ?? null,
      physicalBytes: heap.total_physical_size,
      // shared buffers are among the second only
      externalBytes: Math.max(memory?.external ?? heap.external_memory, memory?.arrayBuffers ?? 0),
      arrayBuffersBytes: memory?.arrayBuffers ?? 0,
      mallocedBytes: heap.malloced_memory,
      peakMallocedBytes: heap.peak_malloced_memory,
      nativeContexts: heap.number_of_native_contexts,
      detachedContexts: heap.number_of_detached_contexts,
    },
    spaces:
      spaces?.map((space) => ({
        name: space.space_name,
        sizeBytes: space.space_size,
        usedBytes: space.space_used_size,
        availableBytes: space.space_available_size,
        physicalBytes: space.physical_space_size,
      })) ?? null,
    gc: gc && garbageCollections(gc),
  };
}

/** What `gc` left on the heap, kept with what is known of a process. */
export type LiveHeap = NonNullable<NonNullable<MemstatsReply['heap']>['live']>;

/** Names of V8's kinds of garbage collection, by its number of each (`v8::GCType`). */
const kinds = {
  1: 'scavenge',
  2: 'minorMarkSweep',
  4: 'markSweepCompact',
  8: 'incremental',
  16: 'weakCallbacks',
} as const;

function garbageCollections({ since, kinds: counted, last }: GcCounts): NonNullable<MemstatsReply['gc']> {
  const kind = (number: keyof typeof kinds): GcKind => counted[number] ?? { count: 0, totalPauseMs: 0, maxPauseMs: 0 };
  return {
    since,
    scavenge: kind(1),
    minorMarkSweep: kind(2),
    markSweepCompact: kind(4),
    incremental: kind(8),
    weakCallbacks: kind(16),
    last: last && { ...last, kind: kinds[last.kind as keyof typeof kinds] ?? String(last.kind) },
  };
}
