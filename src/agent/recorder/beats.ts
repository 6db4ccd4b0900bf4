/** Beats of the main thread: how late each came, and the turns that took long. Without a lock: one thread writes. */
import { layOut } from './layout.ts';

const stallsKept = 128;
/** A minute of beats at the standard 100 ms. */
const latenessKept = 600;

export interface Stall {
  /** The beat that came late: what a stack taken meanwhile was filed under. */
  readonly beat: number;
  readonly at: number;
  readonly durationMs: number;
}

const words = ['beats', 'stalls', 'lateness'] as const;
const places = layOut({ words: words.length * 4, stalls: stallsKept * 3 * 8, lateness: latenessKept * 4 });

export class Beats {
  static readonly bytes = places.bytes;
  static readonly kept = latenessKept;
  readonly #words: Int32Array;
  readonly #stalls: Float64Array;
  readonly #lateness: Float32Array;

  /** In a buffer that two threads share, from a byte on. */
  constructor(buffer: SharedArrayBuffer, offset: number) {
    this.#words = new Int32Array(buffer, offset + places.at.words, words.length);
    this.#stalls = new Float64Array(buffer, offset + places.at.stalls, stallsKept * 3);
    this.#lateness = new Float32Array(buffer, offset + places.at.lateness, latenessKept);
  }

  get count(): number {
    return Atomics.load(this.#words, 0);
  }

  /** Of those that are not kept any more as well. */
  get stallCount(): number {
    return Atomics.load(this.#words, 1);
  }

  /** The main thread has turned: how late, and whether the turn before counts as a stall. */
  add(latenessMs: number, beatMs: number, stalledMs: number | undefined): void {
    // a loop that was blocked missed the beats in between: each would have waited for what was left of it
    for (
      let late = latenessMs, missed = 0;
      missed === 0 || (late > 0 && missed < latenessKept);
      late -= beatMs, missed++
    ) {
      const index = Atomics.add(this.#words, 2, 1);
      this.#lateness[index % latenessKept] = late;
    }
    if (stalledMs !== undefined) {
      const index = Atomics.add(this.#words, 1, 1) % stallsKept;
      this.#stalls.set([this.count, Date.now() - stalledMs, stalledMs], index * 3);
    }
    Atomics.add(this.#words, 0, 1);
  }

  /** Stalls that ended after `since`, oldest first. */
  stalls(since: number): Stall[] {
    const count = Atomics.load(this.#words, 1);
    const found: Stall[] = [];
    for (let index = Math.max(0, count - stallsKept); index < count; index++) {
      const [beat = 0, at = 0, durationMs = 0] = this.#stalls.subarray((index % stallsKept) * 3);
      if (at + durationMs > since) found.push({ beat, at, durationMs });
    }
    return found;
  }

  /** Lateness that a share of the last beats stayed below, of a minute's at most; undefined before the first beat. */
  lateness(share: number, beats = latenessKept): number | undefined {
    const all = Atomics.load(this.#words, 2);
    const count = Math.min(latenessKept, beats, all);
    const sorted = Float32Array.from({ length: count }, (_, back) => this.#lateness[(all - 1 - back) % latenessKept]!);
    return sorted.sort()[Math.min(count - 1, Math.floor(count * share))];
  }
}
