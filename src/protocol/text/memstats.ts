import type { GcKind, MemstatsReply } from '../replies.ts';
import { known, line } from './lines.ts';
import { bytesShort, bytesWithExact, duration, percent } from './quantities.ts';

/** The lines of `memstats`, sizes as gops prints them. */
export function memstatsText(memory: MemstatsReply): string[] {
  const { heap, spaces, gc, cgroup } = memory;
  const size = (name: string, value: number | null) => line(name, known(value, bytesWithExact));
  const lines = [size('rss', memory.rssBytes), ...optional('peak rss', memory.peakRssBytes), ...residentLines(memory)];
  if (cgroup) {
    lines.push(size(`cgroup v${cgroup.version} usage`, cgroup.usedBytes));
    lines.push(...optional(`cgroup v${cgroup.version} working set`, cgroup.workingSetBytes));
    lines.push(
      line(`cgroup v${cgroup.version} limit`, cgroup.limitBytes === null ? 'none' : bytesWithExact(cgroup.limitBytes)),
    );
  }
  if (cgroup?.oomKills) lines.push(line('oom kills', cgroup.oomKills));
  if (heap) {
    lines.push(
      size('heap-total', heap.totalBytes),
      size('heap-used', heap.usedBytes),
      size('heap-limit', heap.limitBytes),
      ...limitLines(heap),
      size('heap-physical', heap.physicalBytes),
      size('external', heap.externalBytes),
      size('array-buffers', heap.arrayBuffersBytes),
      size('malloced', heap.mallocedBytes),
      size('peak-malloced', heap.peakMallocedBytes),
      line('native-contexts', heap.nativeContexts),
      line('detached-contexts', heap.detachedContexts),
    );
  } else lines.push(line('heap', null));
  for (const { threadId, name, usedBytes, totalBytes, externalBytes } of memory.workers ?? [])
    lines.push(
      line(
        `worker ${threadId}${name ? ` '${name}'` : ''}`,
        `heap ${bytesShort(usedBytes)} used of ${bytesShort(totalBytes)}, external ${bytesShort(externalBytes)}`,
      ),
    );
  for (const space of (spaces ?? []).filter(({ sizeBytes }) => sizeBytes > 0))
    lines.push(line(`space ${space.name}`, `${bytesShort(space.usedBytes)} used of ${bytesShort(space.sizeBytes)}`));
  if (!gc) return [...lines, line('gc', null)];
  const kinds: [string, GcKind][] = [
    ['scavenge', gc.scavenge],
    ['minor-mark-sweep', gc.minorMarkSweep],
    ['mark-sweep-compact', gc.markSweepCompact],
    ['incremental', gc.incremental],
    ['weak-callbacks', gc.weakCallbacks],
  ];
  for (const [name, kind] of kinds) if (kind.count > 0) lines.push(line(`gc ${name}`, pauses(kind)));
  const last = gc.last && `${gc.last.kind}, ${duration(gc.last.pauseMs)} pause, at ${gc.last.at}`;
  return [...lines, line('last-gc', last ?? `none since ${gc.since}`)];
}

function pauses(kind: GcKind): string {
  return `${kind.count} (${duration(kind.totalPauseMs)} in all, longest ${duration(kind.maxPauseMs)})`;
}

function optional(name: string, bytes: number | null | undefined): string[] {
  return typeof bytes === 'number' ? [line(name, bytesWithExact(bytes))] : [];
}

/** How far the heap is from the limit, and what of it is known to live. */
function limitLines({ usedBytes, limitBytes, live }: NonNullable<MemstatsReply['heap']>): string[] {
  const left = Math.max(0, limitBytes - usedBytes);
  const lines = [
    line('heap-headroom', `${bytesWithExact(left)}, ${percent(usedBytes / limitBytes)} of the limit used`),
  ];
  return live
    ? [...lines, line('heap-live', `${bytesWithExact(live.bytes)} after the collection at ${live.at}`)]
    : lines;
}

/** RSS part by part, largest first. */
function residentLines({ resident }: MemstatsReply): string[] {
  if (!resident) return [];
  const { allocator, arrayBuffersBytes, agentBytes } = resident;
  const { name, arenas, arenaMax, mainHeapBytes, arenasBytes, largeBytes } = allocator;
  const heaps = `${bytesShort(mainHeapBytes)} main heap, ${bytesShort(arenasBytes)} in ${arenas} ${arenas === 1 ? 'piece' : 'pieces'} of arenas, ${bytesShort(largeBytes)} large`;
  const parts: [string, number | null, string][] = [
    ['V8 heaps', resident.v8HeapBytes, agentBytes === null ? '' : `, the agent's ${bytesShort(agentBytes)} among them`],
    ['V8 code', resident.v8CodeBytes, ''],
    ['array buffers', arrayBuffersBytes, ', at most'],
    ['native (malloc)', resident.nativeBytes, ', with what it holds free'],
    ['thread stacks', resident.stacksBytes, ''],
    ['mapped files', resident.filesBytes, ''],
    ['shared memory', resident.sharedBytes, ''],
    ['other', resident.otherBytes, ''],
  ];
  return [
    ...parts
      .filter(([, bytes]) => bytes)
      .sort(([, a], [, b]) => b! - a!)
      .map(([part, bytes, more]) =>
        line(`  ${part}`, `${bytesShort(bytes!)} (${percent(bytes! / resident.totalBytes)})${more}`),
      ),
    line(
      'malloc',
      `${name ?? 'unknown allocator'}: ${heaps}${name === 'glibc' ? `; MALLOC_ARENA_MAX ${arenaMax ?? 'not set'}` : ''}`,
    ),
  ];
}
