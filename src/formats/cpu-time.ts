/** Who had the thread, sample by sample. */
import type { CpuNode, CpuProfile } from './cpuprofile.ts';
import { type StretchTime, shareOut, type ThreadClock } from './thread-clock.ts';

/** Time and samples of one node by itself. */
export interface NodeSelf {
  readonly node: CpuNode;
  /** For garbage collection: the node it interrupted. */
  readonly on: CpuNode | undefined;
  /** The system call the thread slept in meanwhile. */
  readonly asleepIn: string | undefined;
  count: number;
  wallNanos: number;
  /** 0 without a clock of the thread. */
  cpuNanos: number;
  queuedNanos: number;
}

/**
 * A sample holds the thread from its own time until the next sample's, the last one until the end, as Chrome DevTools counts;
 * `timeDeltas[i]` is therefore the time of sample i − 1, and what is before the first sample is nobody's. Samples that V8
 * delivered out of order (negative deltas) are put in order first. Without samples, hit counts share the whole duration.
 */
export function sampledSelf(profile: CpuProfile, clock?: ThreadClock): NodeSelf[] {
  const byId = new Map(profile.nodes.map((node) => [node.id, node]));
  const entries = new Map<string, NodeSelf>();
  const add = (
    { node, on, asleepIn }: Pick<NodeSelf, 'node' | 'on' | 'asleepIn'>,
    { count, wallNanos, cpuNanos = 0, queuedNanos = 0 }: Pick<NodeSelf, 'count' | 'wallNanos'> & Partial<NodeSelf>,
  ) => {
    const key = `${node.id}/${on?.id ?? ''}/${asleepIn ?? ''}`;
    let entry = entries.get(key);
    if (!entry) {
      entry = { node, on, asleepIn, count: 0, wallNanos: 0, cpuNanos: 0, queuedNanos: 0 };
      entries.set(key, entry);
    }
    entry.count += count;
    entry.wallNanos += wallNanos;
    entry.cpuNanos += cpuNanos;
    entry.queuedNanos += queuedNanos;
  };
  if (profile.samples.length === 0) {
    const hits = profile.nodes.reduce((sum, node) => sum + node.hitCount, 0);
    const nanosPerHit = hits ? ((profile.endTime - profile.startTime) * 1000) / hits : 0;
    for (const node of profile.nodes)
      if (node.hitCount > 0)
        add(
          { node, on: undefined, asleepIn: undefined },
          { count: node.hitCount, wallNanos: Math.round(node.hitCount * nanosPerHit) },
        );
    return [...entries.values()];
  }
  const { order, times } = inOrder(profile);
  const taken = order.map((index, i) => {
    const node = byId.get(profile.samples[index]!)!;
    const next = i + 1 < order.length ? times[order[i + 1]!]! : profile.endTime - profile.startTime;
    return { node, from: times[index]!, to: Math.max(times[index]!, next), idle: nameOf(node) === '(idle)' };
  });
  const { startTime } = profile;
  const known: readonly StretchTime[] | undefined =
    clock &&
    shareOut(
      clock,
      taken.map(({ from, to, idle }) => ({ from: startTime + from, to: startTime + to, idle })),
    );
  let interrupted: CpuNode | undefined;
  for (const [i, { node, from, to }] of taken.entries()) {
    const collecting = nameOf(node) === '(garbage collector)';
    if (!collecting) interrupted = /^\((?:idle|program|root)\)$/.test(nameOf(node)) ? undefined : node;
    const time = known?.[i];
    add(
      { node, on: collecting ? interrupted : undefined, asleepIn: collecting ? undefined : time?.asleepIn },
      {
        count: 1,
        // each end is rounded, not each length: so the sum is exact
        wallNanos: Math.round(to * 1000) - Math.round(from * 1000),
        cpuNanos: Math.round((time?.cpuMicros ?? 0) * 1000),
        queuedNanos: Math.round((time?.queuedMicros ?? 0) * 1000),
      },
    );
  }
  return [...entries.values()];
}

/** When the first sample was taken, in microseconds since the profile's start: what is before is nobody's time. */
export function firstSampleMicros({ samples, timeDeltas, startTime, endTime }: CpuProfile): number {
  if (samples.length === 0) return 0;
  return Math.min(Math.max(0, timeDeltas[0]!), endTime - startTime);
}

function nameOf(node: CpuNode): string {
  return node.callFrame.functionName;
}

/** Sample times relative to the start, in microseconds, and the samples' indices in order of time. */
function inOrder({ timeDeltas }: CpuProfile): { order: number[]; times: number[] } {
  let at = 0;
  let sorted = true;
  const times = timeDeltas.map((delta, i) => {
    if (i > 0 && delta < 0) sorted = false;
    at += delta;
    return at;
  });
  const order = times.map((_, i) => i);
  if (!sorted) order.sort((a, b) => times[a]! - times[b]!);
  return { order, times };
}
