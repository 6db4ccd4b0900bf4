/** Random profiles from a seed, for properties that hold for all. */
import { emptyStack, Profile } from '../../src/formats/model.ts';

/** A repeatable source of numbers from 0 to 1 (mulberry32). */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Some functions of few names and files, deep and recursive stacks, some labels, whole values. */
export function randomProfile(seed: number): Profile {
  const next = random(seed);
  const upTo = (n: number) => Math.floor(next() * n);
  const profile = new Profile(
    [
      { type: 'samples', unit: 'count' },
      { type: 'cpu', unit: 'nanoseconds' },
    ],
    {
      timeMs: 1_700_000_000_000 + upTo(1000),
      durationNanos: 1e9 + upTo(1e9),
      periodType: { type: 'cpu', unit: 'nanoseconds' },
      period: 1000,
      comments: [`c${upTo(3)}`],
    },
  );
  for (let i = 0; i < 60; i++) {
    let stack = emptyStack;
    for (let depth = 1 + upTo(12); depth > 0; depth--) {
      const n = upTo(8);
      const fn = { name: `f${n}`, systemName: `f${n}`, file: `/app/${n % 3}.js`, line: n + 1 };
      stack = profile.stack(stack, profile.frame(profile.function(fn), n + 1 + upTo(3)));
    }
    const labels = profile.labels([
      ...(upTo(2) ? [{ key: 'pod', text: `api-${upTo(3)}` }] : []),
      ...(upTo(4) ? [] : [{ key: 'bytes', number: 8 * upTo(4), unit: 'bytes' }]),
    ]);
    profile.add(stack, labels, [1 + upTo(9), upTo(1e7)]);
  }
  return profile;
}
