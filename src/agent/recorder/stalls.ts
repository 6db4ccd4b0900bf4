/** Turns of the event loop that took long, in memory that the main thread reads when it ends. One thread writes. */
import { layOut } from './layout.ts';

const stallsKept = 128;

export interface Stall {
  /** What a stack taken meanwhile was filed under. */
  readonly beat: number;
  readonly at: number;
  readonly durationMs: number;
}

const places = layOut({ words: 8, stalls: stallsKept * 3 * 8 });

export class Stalls {
  static readonly bytes = places.bytes;
  readonly #words: Int32Array;
  readonly #stalls: Float64Array;

  /** In a buffer that two threads share, from a byte on. */
  constructor(buffer: SharedArrayBuffer, offset: number) {
    this.#words = new Int32Array(buffer, offset + places.at.words, 1);
    this.#stalls = new Float64Array(buffer, offset + places.at.stalls, stallsKept * 3);
  }

  /** Of those that are not kept any more as well. */
  get count(): number {
    return Atomics.load(this.#words, 0);
  }

  add({ beat, at, durationMs }: Stall): void {
    this.#stalls.set([beat, at, durationMs], (this.count % stallsKept) * 3);
    Atomics.add(this.#words, 0, 1);
  }

  /** Stalls that ended after `since`, oldest first. */
  since(since: number): Stall[] {
    const { count } = this;
    const found: Stall[] = [];
    for (let index = Math.max(0, count - stallsKept); index < count; index++) {
      const start = (index % stallsKept) * 3;
      const [beat = 0, at = 0, durationMs = 0] = this.#stalls.subarray(start, start + 3);
      if (at + durationMs > since) found.push({ beat, at, durationMs });
    }
    return found;
  }
}
