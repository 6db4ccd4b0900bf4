/** Who had the thread, sample by sample. */
import type { CpuNode, CpuProfile } from './cpuprofile.ts';

/** Time and samples of one node by itself. */
export interface NodeSelf {
  readonly node: CpuNode;
  /** For garbage collection: the node it interrupted. */
  readonly on: CpuNode | undefined;
  count: number;
  nanos: number;
}

/**
 * A sample holds the thread from its own time until the next sample's, the last one until the end, as Chrome DevTools counts;
 * `timeDeltas[i]` is therefore the time of sample i − 1, and what is before the first sample is nobody's. Samples that V8
 * delivered out of order (negative deltas) are put in order first. Without samples, hit counts share the whole duration.
 */
export function sampledSelf(profile: CpuProfile): NodeSelf[] {
  const byId = new Map(profile.nodes.map((node) => [node.id, node]));
  const entries = new Map<string, NodeSelf>();
  const add = (node: CpuNode, on: CpuNode | undefined, count: number, nanos: number) => {
    const key = on ? `${node.id}/${on.id}` : `${node.id}`;
    let entry = entries.get(key);
    if (!entry) {
      entry = { node, on, count: 0, nanos: 0 };
      entries.set(key, entry);
    }
    entry.count += count;
    entry.nanos += nanos;
  };
  if (profile.samples.length === 0) {
    const hits = profile.nodes.reduce((sum, node) => sum + node.hitCount, 0);
    const nanosPerHit = hits ? ((profile.endTime - profile.startTime) * 1000) / hits : 0;
    for (const node of profile.nodes)
      if (node.hitCount > 0) add(node, undefined, node.hitCount, Math.round(node.hitCount * nanosPerHit));
    return [...entries.values()];
  }
  const { order, times } = inOrder(profile);
  let interrupted: CpuNode | undefined;
  for (const [i, index] of order.entries()) {
    const node = byId.get(profile.samples[index]!)!;
    const next = i + 1 < order.length ? times[order[i + 1]!]! : profile.endTime - profile.startTime;
    // each end is rounded, not each length: so the sum is exact
    const nanos = Math.max(0, Math.round(next * 1000) - Math.round(times[index]! * 1000));
    const collecting = node.callFrame.functionName === '(garbage collector)';
    if (!collecting) interrupted = /^\((?:idle|program|root)\)$/.test(node.callFrame.functionName) ? undefined : node;
    add(node, collecting ? interrupted : undefined, 1, nanos);
  }
  return [...entries.values()];
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
