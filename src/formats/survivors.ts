/**
 * Leaks from a sampling heap profile, without a snapshot. V8 numbers samples in the order of their allocation, and drops those
 * whose object is collected: what is left after a forced collection are survivors, by allocation site and age. A leak has
 * survivors of all ages; a bounded cache, however large, only young ones.
 */
import type { CallFrame } from './v8-json.ts';

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
  readonly functionName: string;
  readonly url: string;
  /** From 1. */
  readonly line: number;
  readonly verdict: 'leaks' | 'bounded' | 'unclear';
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
const leastSamples = 5;
/** Of the intervals but the youngest, which has survivors of any site. */
const [leakShare, boundedShare] = [0.6, 0.25];

/**
 * By site, leaks first. The site is the innermost function of the program: what `Map.set` or Node allocates is its caller's.
 * At least three looks, each after the turnover of what is bounded; the first interval begins at `startedMs`.
 */
export function judgeSurvivors(profile: SampledHeap, looks: readonly Look[], startedMs: number): SiteVerdict[] {
  const sites = new Map<string, Site>();
  const siteOf = new Map<number, Site>();
  place(profile.head, undefined, false, looks.length, sites, siteOf);
  for (const { size, nodeId, ordinal } of profile.samples) {
    const site = siteOf.get(nodeId);
    if (!site) continue;
    const age = looks.findIndex((look) => ordinal <= look.ordinal);
    const interval = age < 0 ? looks.length - 1 : age;
    site.bytes[interval]! += size;
    site.counts[interval]!++;
    if (site.buffers.has(nodeId)) site.bufferSamples[interval]!++;
  }
  const seconds = looks.length < 2 ? 0 : (looks[looks.length - 2]!.atMs - startedMs) / 1000;
  const judged = [...sites.values()].map((site) => judge(site, seconds));
  return withExternal(judged, looks)
    .sort((a, b) => b.bytesPerSecond - a.bytesPerSecond || sum(b.survivorBytes) - sum(a.survivorBytes))
    .filter(({ samples }) => samples > 0);
}

interface Site {
  readonly frame: CallFrame;
  readonly bytes: number[];
  readonly counts: number[];
  readonly bufferSamples: number[];
  /** Nodes of the profile below which an ArrayBuffer or a view of one is made. */
  readonly buffers: Set<number>;
}

const makesBuffers =
  /^(?:ArrayBuffer|SharedArrayBuffer|FastBuffer|createUnsafeBuffer|[A-Z]\w*Array|DataView|slice|subarray)$/;

function place(
  node: SurvivorNode,
  above: Site | undefined,
  inBuffer: boolean,
  intervals: number,
  sites: Map<string, Site>,
  siteOf: Map<number, Site>,
): void {
  // without recursion: stacks of a profile may be very deep
  const open: { node: SurvivorNode; above: Site | undefined; inBuffer: boolean }[] = [{ node, above, inBuffer }];
  for (let next = open.pop(); next; next = open.pop()) {
    const { callFrame } = next.node;
    let site = next.above;
    let buffer = next.inBuffer || makesBuffers.test(callFrame.functionName);
    if (callFrame.url !== '' && !callFrame.url.startsWith('node:')) {
      const key = `${callFrame.scriptId}:${callFrame.lineNumber}:${callFrame.columnNumber}`;
      site = sites.get(key);
      if (!site) {
        const zeros = () => new Array<number>(intervals).fill(0);
        site = { frame: callFrame, bytes: zeros(), counts: zeros(), bufferSamples: zeros(), buffers: new Set() };
        sites.set(key, site);
      }
      buffer = false;
    }
    if (site) {
      siteOf.set(next.node.id, site);
      if (buffer) site.buffers.add(next.node.id);
    }
    for (const child of next.node.children) open.push({ node: child, above: site, inBuffer: buffer });
  }
}

type Judged = SiteVerdict & { readonly bufferSamples: number };

function judge({ frame, bytes, counts, bufferSamples }: Site, seconds: number): Judged {
  const old = bytes.slice(0, -1);
  const samples = sum(counts);
  const inhabited = old.filter((size) => size > 0).length / Math.max(1, old.length);
  const [earlier, later] = [sum(old.slice(0, Math.ceil(old.length / 2))), sum(old.slice(Math.ceil(old.length / 2)))];
  // what is being filled, or is drained slowly, has ever fewer old ones
  const steady = later > 0 && earlier >= 0.2 * later && later >= 0.2 * earlier;
  const enough = samples >= leastSamples && old.length >= 2;
  const verdict =
    enough && inhabited >= leakShare && steady
      ? 'leaks'
      : samples > 0 && inhabited <= boundedShare
        ? 'bounded'
        : 'unclear';
  return {
    functionName: frame.functionName,
    url: frame.url,
    line: frame.lineNumber + 1,
    verdict,
    bytesPerSecond: verdict === 'leaks' && seconds > 0 ? sum(old) / seconds : 0,
    externalBytesPerSecond: 0,
    survivorBytes: bytes,
    samples,
    certainty:
      verdict === 'unclear' ? 0 : Math.min(1, samples / 20) * (verdict === 'leaks' ? inhabited : 1 - inhabited),
    bufferSamples: sum(bufferSamples),
  };
}

/** What ArrayBuffers grew by, shared out among the leaking sites that make them. */
function withExternal(judged: readonly Judged[], looks: readonly Look[]): SiteVerdict[] {
  const [first, last] = [looks[0], looks[looks.length - 1]];
  const grown = (last?.arrayBufferBytes ?? 0) - (first?.arrayBufferBytes ?? 0);
  const seconds = first && last ? (last.atMs - first.atMs) / 1000 : 0;
  const all = judged.reduce((total, one) => total + (one.verdict === 'leaks' ? one.bufferSamples : 0), 0);
  return judged.map(({ bufferSamples, ...one }) => {
    if (one.verdict !== 'leaks' || bufferSamples === 0 || grown <= 0 || seconds <= 0) return one;
    const external = (grown / seconds) * (bufferSamples / all);
    return { ...one, externalBytesPerSecond: external, bytesPerSecond: one.bytesPerSecond + external };
  });
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
