/** The one function that most of something is spent below: the innermost that still has nearly all of it. */
import type { Frame } from '../../protocol/replies.ts';
import { functionKey, ownerOf } from './frames.ts';

export interface Weighed {
  readonly weight: number;
  /** Innermost first. */
  readonly frames: readonly Frame[];
}

export interface Dominant {
  readonly frame: Frame;
  /** Who called it, innermost first, itself included. */
  readonly frames: readonly Frame[];
  /** Of all the weight, 0 to 1. */
  readonly share: number;
}

/** Null where nothing has at least `share` of the weight. The app's own functions go before those of packages. */
export function dominantOf(stacks: readonly Weighed[], share = 0.6): Dominant | null {
  return among(stacks, share, 'app') ?? among(stacks, share, 'package');
}

interface Sum {
  weight: number;
  /** Frames outside of it, of the heaviest stack. */
  best: Weighed & { readonly at: number };
  depth: number;
}

function among(stacks: readonly Weighed[], share: number, owner: 'app' | 'package'): Dominant | null {
  const total = stacks.reduce((sum, { weight }) => sum + weight, 0);
  const sums = new Map<string, Sum>();
  for (const { weight, frames } of stacks) {
    const seen = new Set<string>();
    for (const [at, frame] of frames.entries()) {
      const key = functionKey(frame);
      if (ownerOf(frame) !== owner || seen.has(key)) continue;
      seen.add(key);
      const sum = sums.get(key) ?? { weight: 0, best: { weight: -1, frames, at }, depth: 0 };
      sums.set(key, sum);
      sum.weight += weight;
      sum.depth += weight * (frames.length - at);
      if (weight > sum.best.weight) sum.best = { weight, frames, at };
    }
  }
  const enough = [...sums.values()].filter(({ weight }) => total > 0 && weight >= total * share);
  const deepest = enough.toSorted((a, b) => b.depth / b.weight - a.depth / a.weight)[0];
  if (!deepest) return null;
  const { best } = deepest;
  return { frame: best.frames[best.at]!, frames: best.frames.slice(best.at), share: deepest.weight / total };
}
