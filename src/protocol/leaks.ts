/** Artifact of the capture `leaks`: which sites keep ever more, told from survivors of sampling, without a snapshot. */
import type { Frame } from './frame.ts';

/** A moment at which garbage was collected and the survivors were looked at. */
export interface LeakLook {
  /** Since sampling began. */
  readonly atMs: number;
  /** All of these are of what is live, right after the collection. */
  readonly heapUsedBytes: number;
  readonly arrayBufferBytes: number;
  /** Outside V8's heap, ArrayBuffers included. */
  readonly externalBytes: number;
  /** What keeps the event loop alive, by kind, as `process.getActiveResourcesInfo` tells; empty where it does not. */
  readonly handles: Readonly<Record<string, number>>;
}

export interface KeptBy {
  /** Such as `variable sessions → byUser`, or `a Store → items`. */
  readonly path: string;
  readonly kind: 'Map' | 'Set' | 'Array' | 'Object';
  /** Entries half-way; null where it was not looked at then. */
  readonly from: number | null;
  /** Entries at the end. */
  readonly to: number;
}

export type LeakVerdict = 'leaks' | 'bounded' | 'unclear';

export interface LeakSite {
  readonly verdict: LeakVerdict;
  /** 0 to 1; 0 for what is unclear. */
  readonly certainty: number;
  /** Why it is not believed to leak although it has survivors of all ages; null for nothing of the kind. */
  readonly but: string | null;
  /** The function of the program that allocates, with its callers; `line` is where a function begins. */
  readonly frames: readonly Frame[];
  /** Which of `frames` keeps it: 0, or a caller where the innermost ones also allocate for others. */
  readonly blamed: number;
  /** Of what stays, with what ArrayBuffers hold for it; 0 for what does not leak. */
  readonly bytesPerSecond: number;
  /** Of these, in ArrayBuffers: shared out among the sites that make them. */
  readonly externalBytesPerSecond: number;
  /** Live bytes by the interval between looks in which they were allocated, oldest first; estimated from samples. */
  readonly survivorBytes: readonly number[];
  readonly samples: number;
  /** Collections within reach of the function or its callers: growing ones first. */
  readonly keptBy: readonly KeptBy[];
}

/** What grew, by number, between the half and the end. */
export interface Grown {
  readonly what: 'listeners' | 'handles' | 'modules';
  /** `tick of EventEmitter`, `Timeout`, `require.cache`. */
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

export interface LeaksReport {
  /** ISO 8601, of the agent's clock. */
  readonly startedAt: string;
  readonly windowMs: number;
  /** Between the half and the end, over which `from` and `to` are told. */
  readonly grownOverMs: number;
  readonly samplingIntervalBytes: number;
  /** What keeps less than this is not seen. */
  readonly leastBytesPerSecond: number;
  readonly looks: readonly LeakLook[];
  /** Growth of what is live from the first look to the last; may be negative. */
  readonly heapBytesPerSecond: number;
  readonly arrayBufferBytesPerSecond: number;
  /** Leaks first, by bytes a second; at most 50. */
  readonly sites: readonly LeakSite[];
  readonly grown: readonly Grown[];
}
