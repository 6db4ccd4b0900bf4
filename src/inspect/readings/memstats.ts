import { readMemoryCgroup } from '../../proc/cgroup.ts';
import { readStatus } from '../../proc/status.ts';
import type { GcKind, MemstatsReply } from '../../protocol/replies.ts';
import { askMainThread, recall, remember } from '../ask.ts';
import type { GcCounts } from '../counters.ts';
import { evaluateProbe } from '../evaluate.ts';
import { type MemoryFigures, memoryProbe } from '../probes/memory.ts';
import type { Readings } from '../subject.ts';

type FromMain = Pick<MemstatsReply, 'heap' | 'spaces' | 'gc'>;

/** `memstats`: RSS and cgroup from the kernel, everything else from V8 on the main thread. */
export const readMemstats: Readings['memstats'] = async (subject) => {
  const [answer, status, cgroup] = await Promise.all([
    askMainThread(subject, (inspector) => evaluateProbe(inspector, memoryProbe, null)),
    readStatus(subject.procDir),
    readMemoryCgroup(subject.procDir),
  ]);
  const rssBytes = status?.rssBytes ?? answer.value?.memory?.rss ?? null;
  if (!answer.stuck) {
    const figures = remember(subject, 'memstats', fromMain(answer.value));
    return { data: { rssBytes, ...figures, cgroup }, stuck: null, notes: [] };
  }
  const { figures, note } = recall<FromMain>(subject, 'memstats', 'heap figures');
  const nothing: FromMain = { heap: null, spaces: null, gc: null };
  return { data: { rssBytes, ...(figures ?? nothing), cgroup }, stuck: answer.stuck, notes: [note] };
};

function fromMain({ heap, spaces, memory, gc }: MemoryFigures): FromMain {
  return {
    heap: heap && {
      totalBytes: heap.total_heap_size,
      usedBytes: heap.used_heap_size,
      limitBytes: heap.heap_size_limit,
      physicalBytes: heap.total_physical_size,
      externalBytes: memory?.external ?? heap.external_memory,
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
