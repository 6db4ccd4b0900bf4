/**
 * Leaks from a sampling heap profile, without a snapshot. V8 numbers samples in the order of their allocation, and drops those
 * whose object is collected: what is left after a forced collection are survivors, by allocation site and age. A leak has
 * survivors of all ages; a bounded cache, however large, only young ones.
 */
import type { LeakVerdict } from '../../../protocol/leaks.ts';
import type { CallFrame } from '../../frames.ts';

export interface SurvivorNode {
  readonly id: number;
  readonly callFrame: CallFrame;
  readonly children: readonly SurvivorNode[];
}

/** What `HeapProfiler.getSamplingProfile` gives. */
export interface SampledHeap {
  readonly head: SurvivorNode;
  readonly samples: readonly { readonly size: number; readonly nodeId: number; readonly ordinal: number }[];
}

/** A moment at which garbage was collected and the profile looked at. */
export interface Look {
  readonly atMs: number;
  /** The greatest `ordinal` of a sample seen until then. */
  readonly ordinal: number;
  /** Bytes outside V8's heap that ArrayBuffers hold. */
  readonly arrayBufferBytes?: number;
}

export interface SiteVerdict {
  /** Functions of the program on the stack, the one that allocates first: what `Map.set` or Node allocates is its caller's. */
  readonly frames: readonly CallFrame[];
  /** Which of them: the innermost one whose every survivor fares like these. What only makes objects for others is not to blame. */
  readonly blamed: number;
  readonly verdict: LeakVerdict;
  /** Of what stays, while it was looked at; 0 for what is bounded. */
  readonly bytesPerSecond: number;
  /** Of these, in ArrayBuffers: their objects are sampled, the bytes are shared out by them. */
  readonly externalBytesPerSecond: number;
  /** Sampled bytes that are live, by the interval between looks in which they were allocated, oldest first. */
  readonly survivorBytes: readonly number[];
  readonly samples: number;
  /** 0 to 1: how many intervals have survivors, and how many samples say so. */
  readonly certainty: number;
}

/** Fewer samples say nothing of ages. */
export const leastSamples = 5;
const framesKept = 7;
/** Of the intervals but the youngest, which has survivors of any site. */
const [leakShare, boundedShare] = [0.75, 0.25];
/** What the older and the younger half of these, and the two oldest, have at least of an even share. */
const leastEven = 0.3;

/** Of what was gathered from below: it may be of several functions, not all of which leak. */
const gatheredCertainty = 0.6;

/** What survives in one place, by interval; `frames` are of its fullest stack. */
interface Group {
  readonly stacks: Stack[];
  readonly bytes: number[];
  readonly bufferSamples: number;
  readonly samples: number;
}

/** Survivors of one stack of functions of the program. */
interface Stack {
  readonly frames: readonly CallFrame[];
  readonly bytes: number[];
  samples: number;
  bufferSamples: number;
}

type Judged = SiteVerdict & { readonly bufferSamples: number };

/**
 * How survivors are put together, the finest first: what a way of grouping leaves unclear is grouped by the next one. The last two are for
 * functions that were inlined into their callers only half-way: V8 tells the caller from then on.
 */
const groupings = [
  [0, 3],
  [0, 2],
  [0, 1],
  [1, 2],
  [2, 3],
] as const;
const byFunction = groupings[2];

/**
 * Leaks first. At least three looks, each after the turnover of what is bounded; the first interval begins at `startedMs`.
 */
export function judgeSurvivors(profile: SampledHeap, looks: readonly Look[], startedMs: number): SiteVerdict[] {
  const seconds = looks.length < 2 ? 0 : (looks[looks.length - 2]!.atMs - startedMs) / 1000;
  let open = survivingStacks(profile, looks);
  const settled: Judged[] = [];
  for (const [from, to] of groupings) {
    const unclear: Stack[] = [];
    for (const group of grouped(open, from, to)) {
      const judged = judge(group, from, seconds, looks.length);
      // of what was gathered from below only a leak is told
      if (judged.verdict === 'leaks' || (judged.verdict === 'bounded' && from === 0)) settled.push(judged);
      else unclear.push(...group.stacks);
    }
    open = unclear;
  }
  for (const group of grouped(open, ...byFunction)) settled.push(judge(group, 0, seconds, looks.length));
  return withExternal(blame(settled), looks).sort(
    (a, b) => b.bytesPerSecond - a.bytesPerSecond || sum(b.survivorBytes) - sum(a.survivorBytes),
  );
}

/** The same for every frame of one function. */
export function frameKey({ scriptId, lineNumber, columnNumber }: CallFrame): string {
  return `${scriptId}:${lineNumber}:${columnNumber}`;
}

const makesBuffers =
  /^(?:ArrayBuffer|SharedArrayBuffer|FastBuffer|createUnsafeBuffer|[A-Z]\w*Array|DataView|slice|subarray)$/;

function survivingStacks({ head, samples }: SampledHeap, looks: readonly Look[]): Stack[] {
  interface Open {
    readonly node: SurvivorNode;
    readonly stack: Stack | undefined;
    readonly inBuffer: boolean;
  }
  const of = new Map<number, Omit<Open, 'node'>>();
  // without recursion: stacks of a profile may be very deep
  const open: Open[] = [{ node: head, stack: undefined, inBuffer: false }];
  for (let next = open.pop(); next; next = open.pop()) {
    const { callFrame, id, children } = next.node;
    let { stack } = next;
    let inBuffer = next.inBuffer || makesBuffers.test(callFrame.functionName);
    if (callFrame.url !== '' && !callFrame.url.startsWith('node:')) {
      const frames = [callFrame, ...(stack?.frames ?? [])].slice(0, framesKept);
      stack = { frames, bytes: new Array<number>(looks.length).fill(0), samples: 0, bufferSamples: 0 };
      inBuffer = false;
    }
    of.set(id, { stack, inBuffer });
    for (const child of children) open.push({ node: child, stack, inBuffer });
  }
  const surviving = new Set<Stack>();
  for (const { size, nodeId, ordinal } of samples) {
    const { stack, inBuffer } = of.get(nodeId) ?? {};
    if (!stack) continue;
    const age = looks.findIndex((look) => ordinal <= look.ordinal);
    stack.bytes[age < 0 ? looks.length - 1 : age]! += size;
    stack.samples++;
    if (inBuffer) stack.bufferSamples++;
    surviving.add(stack);
  }
  return [...surviving];
}

function grouped(stacks: readonly Stack[], from: number, to: number): Group[] {
  const groups = new Map<string, Stack[]>();
  for (const stack of stacks) {
    const key = stack.frames
      .slice(Math.min(from, stack.frames.length - 1), to)
      .map(frameKey)
      .join();
    const there = groups.get(key);
    if (there) there.push(stack);
    else groups.set(key, [stack]);
  }
  return [...groups.values()].map((stacks) => ({
    stacks: stacks.sort((a, b) => sum(b.bytes) - sum(a.bytes)),
    bytes: stacks[0]!.bytes.map((_, interval) => sum(stacks.map(({ bytes }) => bytes[interval]!))),
    samples: sum(stacks.map(({ samples }) => samples)),
    bufferSamples: sum(stacks.map(({ bufferSamples }) => bufferSamples)),
  }));
}

function judge({ stacks, bytes, samples, bufferSamples }: Group, from: number, seconds: number, looks: number): Judged {
  const old = bytes.slice(0, -1);
  const inhabited = old.filter((size) => size > 0).length / Math.max(1, old.length);
  const share = (part: readonly number[]) => sum(part) / part.length / Math.max(1, sum(old) / old.length);
  const half = Math.ceil(old.length / 2);
  // what is being filled, or is drained slowly, has ever fewer old ones
  const even = [old.slice(0, half), old.slice(half), old.slice(0, Math.min(2, half))];
  const steady = old.length >= 2 && even.every((part) => part.length === 0 || share(part) >= leastEven);
  const strict = from > 0 ? 1 : leakShare;
  const verdict =
    samples >= leastSamples && inhabited >= strict && steady
      ? 'leaks'
      : samples >= leastSamples && inhabited <= boundedShare && looks >= 3
        ? 'bounded'
        : 'unclear';
  const frames = stacks[0]!.frames;
  const told = verdict === 'leaks' ? inhabited : 1 - inhabited;
  return {
    frames: frames.slice(Math.min(from, frames.length - 1)),
    blamed: 0,
    verdict,
    bytesPerSecond: verdict === 'leaks' && seconds > 0 ? sum(old) / seconds : 0,
    externalBytesPerSecond: 0,
    survivorBytes: bytes,
    samples,
    certainty: verdict === 'unclear' ? 0 : Math.min(1, samples / 20) * told * (from > 0 ? gatheredCertainty : 1),
    bufferSamples,
  };
}

/** A function whose objects also go elsewhere only makes them: who calls it keeps them. */
function blame(sites: readonly Judged[]): Judged[] {
  const harmless = new Set(
    sites.flatMap(({ verdict, frames }) => (verdict === 'bounded' ? frames.slice(0, 1).map(frameKey) : [])),
  );
  return sites.map((site) => {
    const guilty = site.frames.findIndex((frame) => !harmless.has(frameKey(frame)));
    return site.verdict === 'leaks' ? { ...site, blamed: Math.max(0, guilty) } : site;
  });
}

/** What ArrayBuffers grew by, shared out among the leaking sites that make them. */
function withExternal(judged: readonly Judged[], looks: readonly Look[]): SiteVerdict[] {
  const [first, last] = [looks[0], looks[looks.length - 1]];
  const grown = (last?.arrayBufferBytes ?? 0) - (first?.arrayBufferBytes ?? 0);
  const seconds = first && last ? (last.atMs - first.atMs) / 1000 : 0;
  const all = sum(judged.map(({ verdict, bufferSamples }) => (verdict === 'leaks' ? bufferSamples : 0)));
  return judged.map(({ bufferSamples, ...one }) => {
    if (one.verdict !== 'leaks' || bufferSamples === 0 || grown <= 0 || seconds <= 0) return one;
    const external = (grown / seconds) * (bufferSamples / all);
    return { ...one, externalBytesPerSecond: external, bytesPerSecond: one.bytesPerSecond + external };
  });
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
