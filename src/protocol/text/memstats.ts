import type { GcKind, MemstatsReply } from '../replies.ts';
import { known, line } from './lines.ts';
import { bytesShort, bytesWithExact, duration } from './quantities.ts';

/** The lines of `memstats`, sizes as gops prints them. */
export function memstatsText(memory: MemstatsReply): string[] {
  const { heap, spaces, gc, cgroup } = memory;
  const size = (name: string, value: number | null) => line(name, known(value, bytesWithExact));
  const lines = [size('rss', memory.rssBytes)];
  if (cgroup) {
    lines.push(size(`cgroup v${cgroup.version} usage`, cgroup.usedBytes));
    lines.push(
      line(`cgroup v${cgroup.version} limit`, cgroup.limitBytes === null ? 'none' : bytesWithExact(cgroup.limitBytes)),
    );
  }
  if (heap) {
    lines.push(
      size('heap-total', heap.totalBytes),
      size('heap-used', heap.usedBytes),
      size('heap-limit', heap.limitBytes),
      size('heap-physical', heap.physicalBytes),
      size('external', heap.externalBytes),
      size('array-buffers', heap.arrayBuffersBytes),
      size('malloced', heap.mallocedBytes),
      size('peak-malloced', heap.peakMallocedBytes),
      line('native-contexts', heap.nativeContexts),
      line('detached-contexts', heap.detachedContexts),
    );
  } else lines.push(line('heap', null));
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
