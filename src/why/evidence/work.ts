/** What the main thread was busy with over the look: stacks of every source put together by who called what. */
import type { Frame } from '../../protocol/replies.ts';
import type { Case, StackSample, WeighedStack } from '../case.ts';
import { callerOf, functionKey } from './frames.ts';
import { type Classified, classify, type Kind } from './kinds.ts';

export interface Work {
  readonly kind: Kind;
  readonly call: string | null;
  readonly caller: Frame | null;
  /** The stack that most of it was spent in, innermost first. */
  readonly frames: readonly Frame[];
  /** Share of the time that was looked at, 0 to 1. */
  readonly share: number;
  /** The longest that was seen of it without a pause; 0 where none was long. */
  readonly worstMs: number;
  /** Stretches of at least 100 ms that were seen of it. */
  readonly stretches: number;
  /** Share in the CPU profile: unlike stacks, which are taken where JavaScript can be interrupted, it sees calls as they are. */
  readonly profiled: number;
}

interface Weighed extends WeighedStack {
  /** Of a stretch without a pause that this was seen to be most of. */
  readonly stretchMs?: number;
}

/** Stalls that the recorder kept count when they are no older than this. */
const stallAgeMs = 120_000;

export function workOf(c: Case): Work[] {
  const most = longestTurn(c);
  const stacks = fromStacks(c, most);
  const stalls = fromStalls(c);
  const sources: { stacks: readonly Weighed[]; ofMs: number; profile?: true }[] = [
    { stacks, ofMs: spanOf(c.stacks, c.lookMs) },
    { stacks: stalls.stacks, ofMs: stalls.ofMs },
  ];
  if (c.cpu) {
    const stretches = c.cpu.stretches.map(({ ms, frames }) => ({ ms: 0, frames, stretchMs: Math.min(ms, most) }));
    sources.push({ stacks: [...c.cpu.stacks, ...stretches], ofMs: c.cpu.durationMs, profile: true });
  }
  const all = new Map<string, Work & { largestMs: number }>();
  for (const source of sources) {
    const own = new Map<
      string,
      { classified: Classified; ms: number; worstMs: number; stretches: number; best: Weighed }
    >();
    for (const stack of source.stacks) {
      if (stack.frames.length === 0) continue;
      const classified = classify(stack.frames);
      const key = keyOf(classified, stack.frames);
      const sum = own.get(key) ?? { classified, ms: 0, worstMs: 0, stretches: 0, best: stack };
      sum.ms += stack.ms;
      sum.worstMs = Math.max(sum.worstMs, stack.stretchMs ?? 0);
      if (stack.stretchMs) sum.stretches++;
      if (stack.ms > sum.best.ms) Object.assign(sum, { best: stack, classified });
      own.set(key, sum);
    }
    for (const [key, { classified, ms, worstMs, stretches, best }] of own) {
      const before = all.get(key);
      const share = source.ofMs > 0 ? Math.min(1, ms / source.ofMs) : 0;
      const larger = !before || best.ms > before.largestMs;
      all.set(key, {
        ...(larger ? { ...classified, frames: best.frames, largestMs: best.ms } : before),
        // one source may have missed what another saw
        share: Math.max(share, before?.share ?? 0),
        worstMs: Math.max(worstMs, before?.worstMs ?? 0),
        stretches: Math.max(stretches, before?.stretches ?? 0),
        profiled: source.profile ? share : (before?.profiled ?? 0),
      });
    }
  }
  return absorbed([...all.values()]).toSorted((a, b) => b.share - a.share || b.worstMs - a.worstMs);
}

/**
 * Samples cannot tell one callback from the next of the same function, and an answer is late for other reasons than the main thread:
 * the loop was seen to turn.
 */
function longestTurn({ moments }: Case): number {
  const seen = moments.map(({ stats, stuck }) => stuck?.forMs ?? stats.eventLoop.delayMaxMs);
  const known = seen.filter((ms): ms is number => typeof ms === 'number');
  return known.length < 5 ? Number.POSITIVE_INFINITY : Math.max(...known) + turnSlackMs;
}

/** A timer that is late by so much is on time. */
const turnSlackMs = 50;

/** Of a caller's time, what a named kind must have before the rest is taken for its share: loops around it, its results. */
const mainShare = 0.4;

/** A profile that saw less of a caller says nothing of it. */
const leastProfiled = 0.03;

function sum(works: readonly Work[], share: 'share' | 'profiled'): number {
  return works.reduce((total, work) => total + work[share], 0);
}

/** A function that mostly calls one costly thing is not costly by itself. */
function absorbed(works: readonly Work[]): Work[] {
  const named = new Map<string, Work[]>();
  for (const work of works)
    if (work.kind !== 'function' && work.caller) {
      const key = functionKey(work.caller);
      named.set(key, [...(named.get(key) ?? []), work]);
    }
  const gains = new Map<Work, Work>();
  const left = works.filter((work) => {
    const others = work.kind === 'function' && work.caller ? named.get(functionKey(work.caller)) : undefined;
    if (!others) return true;
    const seen = work.profiled + sum(others, 'profiled') > leastProfiled ? 'profiled' : 'share';
    const share = sum(others, seen);
    if (share < (share + work[seen]) * mainShare) return true;
    gains.set(
      others.reduce((most, other) => (other.share > most.share ? other : most)),
      work,
    );
    return false;
  });
  return left.map((work) => {
    const gained = gains.get(work);
    return gained
      ? {
          ...work,
          share: Math.min(1, work.share + gained.share),
          worstMs: Math.max(work.worstMs, gained.worstMs),
          stretches: Math.max(work.stretches, gained.stretches),
        }
      : work;
  });
}

function keyOf({ kind, caller }: Classified, frames: readonly Frame[]): string {
  const who = caller ?? callerOf(frames) ?? frames.at(-1)!;
  return `${kind}\n${functionKey(who)}`;
}

function spanOf(stacks: readonly StackSample[], lookMs: number): number {
  return stacks.length < 3 ? 0 : Math.max(lookMs, (stacks.at(-1)?.atMs ?? 0) - (stacks[0]?.atMs ?? 0));
}

/** A thread that lets itself be interrupted answers sooner, but on a busy machine: there it is long against what is usual. */
const unanswered = 700;
const timesUsual = 4;

/** Each sample of the main thread stands for the time until the next one. */
function fromStacks({ stacks, lookMs }: Case, most: number): Weighed[] {
  const times = stacks.map(({ tookMs }) => tookMs).toSorted((a, b) => a - b);
  const least = Math.max(unanswered, timesUsual * (times[times.length >> 1] ?? 0));
  return stacks.flatMap(({ threads, atMs, tookMs, stuck }, index) => {
    const main = threads.find(({ thread }) => thread === 'main');
    const ms = Math.max(0, (stacks[index + 1]?.atMs ?? lookMs) - atMs);
    if (!main || main.frames.length === 0) return [];
    // the first question waits for what answers it to start
    const silentMs = index > 0 && tookMs >= least ? tookMs : 0;
    const stretchMs = Math.max(Math.min(silentMs, most), stuck?.forMs ?? 0);
    return [{ ms, frames: main.frames, ...(stretchMs > 0 ? { stretchMs } : {}) }];
  });
}

function fromStalls({ past, at, lookMs }: Case): { stacks: Weighed[]; ofMs: number } {
  if (!past) return { stacks: [], ofMs: 0 };
  const end = Date.parse(at) + lookMs;
  const recent = past.stalls.filter((stall) => end - Date.parse(stall.at) <= stallAgeMs);
  const ofMs = Math.max(1, Math.min(stallAgeMs, end - Date.parse(past.since)));
  const stacks = recent.flatMap(({ frames, durationMs }) =>
    frames && frames.length > 0 ? [{ ms: durationMs, frames, stretchMs: durationMs }] : [],
  );
  return { stacks, ofMs };
}
