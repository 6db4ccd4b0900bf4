/**
 * What an ending main thread and its worker share. An app that ends while an inspector session of its worker is open prints "Waiting for the
 * debugger to disconnect…", and files are the worker's to write, for a volume may hang: so the main thread says that it ends, and waits, not
 * for long, until sessions are closed and the worker has done what was given to it.
 */
const open = 0;
const leaving = 1;
const attended = 2;
const stepMs = 5;

export class Departure {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;

  /** Of a new buffer, or of one that another thread made. */
  constructor(buffer?: SharedArrayBuffer) {
    this.buffer = buffer ?? new SharedArrayBuffer(12);
    this.#words = new Int32Array(this.buffer);
  }

  /** In the worker: it hears what it is told from now on. */
  attend(): void {
    Atomics.store(this.#words, attended, 1);
  }

  /** In the worker, before a session is opened. False when the main thread ends: it must not be. */
  enter(): boolean {
    Atomics.add(this.#words, open, 1);
    if (!this.leaving) return true;
    this.done();
    return false;
  }

  /** In the worker: a session is closed, or something that was given to it is done. */
  done(): void {
    Atomics.sub(this.#words, open, 1);
    Atomics.notify(this.#words, open);
  }

  /** Whether the main thread ends. */
  get leaving(): boolean {
    return Atomics.load(this.#words, leaving) !== 0;
  }

  /** In the main thread, before it gives its worker something to do: false where none hears it. */
  give(): boolean {
    if (Atomics.load(this.#words, attended) === 0) return false;
    Atomics.add(this.#words, open, 1);
    return true;
  }

  /** In the main thread: its worker has ended, whatever it had open. */
  orphan(): void {
    for (const word of [open, attended]) Atomics.store(this.#words, word, 0);
  }

  /** In the main thread, when it ends: no session is opened from now on, or again after all. */
  leave(ends = true): void {
    Atomics.store(this.#words, leaving, Number(ends));
  }

  /** In the main thread: waits until nothing is open. */
  settle(limitMs: number): void {
    // counted, not timed: an app that ends with its clock replaced would wait here for ever
    for (let waitedMs = 0; waitedMs < limitMs; waitedMs += stepMs) {
      const count = Atomics.load(this.#words, open);
      if (count <= 0) return;
      Atomics.wait(this.#words, open, count, stepMs);
    }
  }
}
