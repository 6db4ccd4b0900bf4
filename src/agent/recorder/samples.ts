/** Samples of two rings: one a second, and coarser ones of longer ago. Whoever writes or reads holds a lock for some microseconds. */
import { type Column, columns, type Figures } from './columns.ts';
import { layOut } from './layout.ts';

const width = columns.length;
/** 15 minutes, one a second. */
export const fineSamples = 900;
export const fineMs = 1_000;
/** 6 hours. */
export const coarseSamples = 1_440;
export const coarseMs = 15_000;

export interface Sample {
  /** Milliseconds since 1970, the end of what it covers. */
  readonly at: number;
  readonly mean: Figures;
  readonly max: Figures;
}

interface Ring {
  readonly times: Float64Array;
  readonly mean: Float32Array;
  readonly max: Float32Array;
}

const words = ['lock', 'fine', 'coarse'] as const;
const places = layOut({
  words: words.length * 4,
  coarseSince: 8,
  pool: width * 3 * 8,
  fineTimes: fineSamples * 8,
  fine: fineSamples * width * 4,
  coarseTimes: coarseSamples * 8,
  coarseMean: coarseSamples * width * 4,
  coarseMax: coarseSamples * width * 4,
});

export class Samples {
  static readonly bytes = places.bytes;
  readonly #words: Int32Array;
  /** When the coarse sample under way began; 0 before the first. */
  readonly #coarseSince: Float64Array;
  /** Sums, counts and maxima of it. */
  readonly #pool: Float64Array;
  readonly #fine: Ring;
  readonly #coarse: Ring;

  /** In a buffer that two threads share, from a byte on. */
  constructor(buffer: SharedArrayBuffer, offset: number) {
    const floats = (at: number, length: number) => new Float32Array(buffer, offset + at, length * width);
    const doubles = (at: number, length: number) => new Float64Array(buffer, offset + at, length);
    const { at } = places;
    this.#words = new Int32Array(buffer, offset + at.words, words.length);
    this.#coarseSince = doubles(at.coarseSince, 1);
    this.#pool = doubles(at.pool, width * 3);
    const fine = floats(at.fine, fineSamples);
    this.#fine = { times: doubles(at.fineTimes, fineSamples), mean: fine, max: fine };
    this.#coarse = {
      times: doubles(at.coarseTimes, coarseSamples),
      mean: floats(at.coarseMean, coarseSamples),
      max: floats(at.coarseMax, coarseSamples),
    };
  }

  /** Adds a sample. False when the other thread is at it: try again later. */
  append(at: number, figures: Figures): boolean {
    return this.#exclusively(() => {
      const row = columns.map((column) => figures[column] ?? Number.NaN);
      this.#put(this.#fine, 1, fineSamples, at, row, row);
      this.#gather(at, row);
    });
  }

  /** Samples that end after `since`, oldest first: fine ones, and coarse ones from before those. Undefined when they change just now. */
  since(since: number): Sample[] | undefined {
    let found: Sample[] | undefined;
    this.#exclusively(() => {
      const fine = this.#take(this.#fine, 1, fineSamples, since);
      const from = fine[0]?.at ?? Number.POSITIVE_INFINITY;
      const coarse = this.#take(this.#coarse, 2, coarseSamples, since).filter(({ at }) => at <= from - fineMs);
      found = [...coarse, ...fine];
    });
    return found;
  }

  /** The newest sample, without waiting for anybody. */
  latest(): Sample | undefined {
    const count = Atomics.load(this.#words, 1);
    return count === 0 ? undefined : this.#sample(this.#fine, (count - 1) % fineSamples);
  }

  /** A thread that ended in the middle left the lock behind. */
  breakLock(): void {
    Atomics.store(this.#words, 0, 0);
  }

  #exclusively(act: () => void): boolean {
    if (Atomics.compareExchange(this.#words, 0, 0, 1) !== 0) return false;
    try {
      act();
    } finally {
      Atomics.store(this.#words, 0, 0);
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
    const since = this.#coarseSince[0] || at;
    this.#coarseSince[0] = since;
    row.forEach((value, column) => {
      if (Number.isNaN(value)) return;
      maxima![column] = counts![column] === 0 ? value : Math.max(maxima![column]!, value);
      sums![column]! += value;
      counts![column]! += 1;
    });
    if (at - since < coarseMs) return;
    const mean = Array.from(sums!, (sum, column) => sum / counts![column]!);
    const max = Array.from(maxima!, (value, column) => (counts![column] === 0 ? Number.NaN : value));
    this.#put(this.#coarse, 2, coarseSamples, at, mean, max);
    this.#pool.fill(0);
    this.#coarseSince[0] = at;
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
