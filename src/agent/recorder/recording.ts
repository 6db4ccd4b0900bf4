/**
 * The recorder's memory: one SharedArrayBuffer that the main thread writes and its worker reads, so that a figure costs the
 * app no message, and an agent that wakes later finds what was recorded while it slept. About 190 KB, however long it runs;
 * pages that were never written are never taken from the system.
 */
import { type Column, columns, type Figures } from './columns.ts';

const width = columns.length;
/** 15 minutes, one a second. */
export const fineSamples = 900;
export const fineMs = 1_000;
/** 6 hours. */
export const coarseSamples = 1_440;
export const coarseMs = 15_000;
const stallsKept = 128;
/** A minute of beats at the standard 100 ms. */
const latenessKept = 600;

const words = ['beats', 'lock', 'fine', 'coarse', 'stalls', 'lateness', 'sessions', 'leaving'] as const;
const cells = [
  'startedAt',
  'heapLimitBytes',
  'threads',
  'cgroupUsedBytes',
  'throttled',
  'memoryLimitBytes',
  'minorGcs',
  'majorGcs',
  'gcPauseMs',
  'gcMaxPauseMs',
  'coarseSince',
] as const;
type Cell = (typeof cells)[number];

export interface Sample {
  /** Milliseconds since 1970, the end of what it covers. */
  readonly at: number;
  readonly mean: Figures;
  readonly max: Figures;
}
export interface Stall {
  /** The beat that came late: what a stack taken meanwhile was filed under. */
  readonly beat: number;
  readonly at: number;
  readonly durationMs: number;
}

interface Ring {
  readonly times: Float64Array;
  readonly mean: Float32Array;
  readonly max: Float32Array;
}

export class Recording {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #cells: Float64Array;
  readonly #fine: Ring;
  readonly #coarse: Ring;
  /** Sums, counts and maxima of the coarse sample under way. */
  readonly #pool: Float64Array;
  readonly #stalls: Float64Array;
  readonly #lateness: Float32Array;

  /** Of a new buffer, or of one that another thread made. */
  constructor(buffer?: SharedArrayBuffer) {
    let offset = 0;
    const at = (bytes: number): number => {
      const start = offset;
      offset += Math.ceil(bytes / 8) * 8;
      return start;
    };
    const places = {
      words: at(words.length * 4),
      cells: at(cells.length * 8),
      pool: at(width * 3 * 8),
      stalls: at(stallsKept * 3 * 8),
      lateness: at(latenessKept * 4),
      fineTimes: at(fineSamples * 8),
      fine: at(fineSamples * width * 4),
      coarseTimes: at(coarseSamples * 8),
      coarseMean: at(coarseSamples * width * 4),
      coarseMax: at(coarseSamples * width * 4),
    };
    this.buffer = buffer ?? new SharedArrayBuffer(offset);
    this.#words = new Int32Array(this.buffer, places.words, words.length);
    this.#cells = new Float64Array(this.buffer, places.cells, cells.length);
    this.#pool = new Float64Array(this.buffer, places.pool, width * 3);
    this.#stalls = new Float64Array(this.buffer, places.stalls, stallsKept * 3);
    this.#lateness = new Float32Array(this.buffer, places.lateness, latenessKept);
    const fine = new Float32Array(this.buffer, places.fine, fineSamples * width);
    this.#fine = { times: new Float64Array(this.buffer, places.fineTimes, fineSamples), mean: fine, max: fine };
    this.#coarse = {
      times: new Float64Array(this.buffer, places.coarseTimes, coarseSamples),
      mean: new Float32Array(this.buffer, places.coarseMean, coarseSamples * width),
      max: new Float32Array(this.buffer, places.coarseMax, coarseSamples * width),
    };
    if (!buffer) {
      this.#cells.fill(Number.NaN);
      this.set('startedAt', Date.now());
    }
  }

  get(cell: Cell): number {
    return this.#cells[cells.indexOf(cell)]!;
  }
  set(cell: Cell, value: number): void {
    this.#cells[cells.indexOf(cell)] = value;
  }

  /** Beats of the main thread so far. */
  get beats(): number {
    return Atomics.load(this.#words, 0);
  }

  /** The main thread has turned: how late, and whether the turn before counts as a stall. */
  beat(latenessMs: number, beatMs: number, stalledMs: number | undefined): void {
    // a loop that was blocked missed the beats in between: each would have waited for what was left of it
    for (
      let late = latenessMs, missed = 0;
      missed === 0 || (late > 0 && missed < latenessKept);
      late -= beatMs, missed++
    ) {
      const index = Atomics.add(this.#words, 5, 1);
      this.#lateness[index % latenessKept] = late;
    }
    if (stalledMs !== undefined) {
      const index = Atomics.add(this.#words, 4, 1) % stallsKept;
      this.#stalls.set([this.beats, Date.now() - stalledMs, stalledMs], index * 3);
    }
    Atomics.add(this.#words, 0, 1);
  }

  /** Adds a sample. False when the other thread is at it: try again later. */
  append(at: number, figures: Figures): boolean {
    return this.#exclusively(() => {
      const row = columns.map((column) => figures[column] ?? Number.NaN);
      this.#put(this.#fine, 2, fineSamples, at, row, row);
      this.#gather(at, row);
    });
  }

  /** Samples that end after `since`, oldest first: fine ones, and coarse ones from before those. Undefined when they change just now. */
  samples(since: number): Sample[] | undefined {
    let found: Sample[] | undefined;
    this.#exclusively(() => {
      const fine = this.#take(this.#fine, 2, fineSamples, since);
      const from = fine[0]?.at ?? Number.POSITIVE_INFINITY;
      const coarse = this.#take(this.#coarse, 3, coarseSamples, since).filter(({ at }) => at <= from - fineMs);
      found = [...coarse, ...fine];
    });
    return found;
  }

  /** The newest sample, without waiting for anybody. */
  latest(): Sample | undefined {
    const count = Atomics.load(this.#words, 2);
    return count === 0 ? undefined : this.#sample(this.#fine, (count - 1) % fineSamples);
  }

  /** Stalls that ended after `since`, oldest first. */
  stalls(since: number): Stall[] {
    const count = Atomics.load(this.#words, 4);
    const found: Stall[] = [];
    for (let index = Math.max(0, count - stallsKept); index < count; index++) {
      const [beat = 0, at = 0, durationMs = 0] = this.#stalls.subarray((index % stallsKept) * 3);
      if (at + durationMs > since) found.push({ beat, at, durationMs });
    }
    return found;
  }

  /** Stalls since the recording began, those that are not kept any more included. */
  get stallCount(): number {
    return Atomics.load(this.#words, 4);
  }

  /** Lateness that a share of the last beats stayed below, of a minute's at most; undefined before the first beat. */
  lateness(share: number, beats = latenessKept): number | undefined {
    const all = Atomics.load(this.#words, 5);
    const count = Math.min(latenessKept, beats, all);
    const sorted = Float32Array.from({ length: count }, (_, back) => this.#lateness[(all - 1 - back) % latenessKept]!);
    return sorted.sort()[Math.min(count - 1, Math.floor(count * share))];
  }

  /** In the worker: an inspector session of its own was opened (1) or closed (-1). */
  sessions(change: 1 | -1): void {
    Atomics.add(this.#words, 6, change);
    Atomics.notify(this.#words, 6);
  }

  /** In the worker: whether the main thread ends. */
  get leaving(): boolean {
    return Atomics.load(this.#words, 7) !== 0;
  }

  /** In the main thread, when it ends: waits for sessions to be closed. An app that ends with one prints a line about it. */
  leave(limitMs: number): void {
    Atomics.store(this.#words, 7, 1);
    const endAt = Date.now() + limitMs;
    for (let open = 1; open > 0 && Date.now() < endAt; ) {
      open = Atomics.load(this.#words, 6);
      if (open > 0) Atomics.wait(this.#words, 6, open, endAt - Date.now());
    }
  }

  /** A thread that ended in the middle left the lock behind. */
  breakLock(): void {
    Atomics.store(this.#words, 1, 0);
  }

  #exclusively(act: () => void): boolean {
    if (Atomics.compareExchange(this.#words, 1, 0, 1) !== 0) return false;
    try {
      act();
    } finally {
      Atomics.store(this.#words, 1, 0);
    }
    return true;
  }

  #put(ring: Ring, word: number, size: number, at: number, mean: ArrayLike<number>, max: ArrayLike<number>): void {
    const index = this.#words[word]! % size;
    ring.times[index] = at;
    ring.mean.set(mean, index * width);
    ring.max.set(max, index * width);
    Atomics.add(this.#words, word, 1);
  }

  /** Into the coarse sample under way, which ends when its time is over. */
  #gather(at: number, row: readonly number[]): void {
    const [sums, counts, maxima] = [0, 1, 2].map((part) => this.#pool.subarray(part * width, (part + 1) * width));
    const since = this.get('coarseSince');
    if (Number.isNaN(since)) this.set('coarseSince', at);
    row.forEach((value, column) => {
      if (Number.isNaN(value)) return;
      maxima![column] = counts![column] === 0 ? value : Math.max(maxima![column]!, value);
      sums![column]! += value;
      counts![column]! += 1;
    });
    if (!(at - since >= coarseMs)) return;
    const mean = Array.from(sums!, (sum, column) => sum / counts![column]!);
    const max = Array.from(maxima!, (value, column) => (counts![column] === 0 ? Number.NaN : value));
    this.#put(this.#coarse, 3, coarseSamples, at, mean, max);
    this.#pool.fill(0);
    this.set('coarseSince', at);
  }

  #take(ring: Ring, word: number, size: number, since: number): Sample[] {
    const count = this.#words[word]!;
    const found: Sample[] = [];
    for (let index = Math.max(0, count - size); index < count; index++)
      if (ring.times[index % size]! > since) found.push(this.#sample(ring, index % size));
    return found;
  }

  #sample(ring: Ring, index: number): Sample {
    const row = (values: Float32Array): Figures =>
      Object.fromEntries(columns.map((column, n): [Column, number] => [column, values[index * width + n]!]));
    const mean = row(ring.mean);
    return { at: ring.times[index]!, mean, max: ring.mean === ring.max ? mean : row(ring.max) };
  }
}
