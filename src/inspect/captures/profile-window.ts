/** The part of V8's CPU profile that is a profile: what it sampled while it was still starting is not. */

interface RawProfile {
  readonly nodes: { readonly id: number; hitCount?: number }[];
  startTime: number;
  readonly endTime: number;
  samples?: number[];
  timeDeltas?: number[];
}

/**
 * Cuts off what was sampled before `micros` (V8's clock, as hrtime's), in place. Without it the profile begins with its first sample:
 * in the time before, V8 listed all compiled code while the thread stood still, and that would read as idle.
 * Returns how long the start took, in microseconds.
 */
export function cutStart(profile: RawProfile, micros: number | null): number {
  const { samples = [], timeDeltas = [], startTime, endTime } = profile;
  const times: number[] = [];
  let at = startTime;
  for (const delta of timeDeltas) {
    at += delta;
    times.push(at);
  }
  const begin = micros !== null && micros > startTime && micros < endTime ? micros : (times[0] ?? startTime);
  const kept = times.flatMap((time, i) => (time >= begin ? [i] : []));
  profile.startTime = begin;
  profile.samples = kept.map((i) => samples[i]!);
  let before = begin;
  profile.timeDeltas = kept.map((i) => {
    const delta = times[i]! - before;
    before = times[i]!;
    return delta;
  });
  const hits = new Map<number, number>();
  for (const id of profile.samples) hits.set(id, (hits.get(id) ?? 0) + 1);
  for (const node of profile.nodes) node.hitCount = hits.get(node.id) ?? 0;
  return begin - startTime;
}
