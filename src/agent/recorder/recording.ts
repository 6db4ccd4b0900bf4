/**
 * The recorder's memory: one SharedArrayBuffer that the watcher writes, and the main thread reads when the process ends. About 190 KB,
 * however long it runs; pages that were never written are never taken from the system.
 */

import type { Figures } from './columns.ts';
import { layOut } from './layout.ts';
import { type Sample, Samples } from './samples.ts';
import { type Stall, Stalls } from './stalls.ts';

const words = ['sessions', 'leaving'] as const;
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
  'delayP50Ms',
  'delayP99Ms',
] as const;
type Cell = (typeof cells)[number];

const leaveStepMs = 5;

const places = layOut({
  words: words.length * 4,
  cells: cells.length * 8,
  stalls: Stalls.bytes,
  samples: Samples.bytes,
});

export class Recording {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #cells: Float64Array;
  readonly #stalls: Stalls;
  readonly #samples: Samples;

  /** Of a new buffer, or of one that another thread made. */
  constructor(buffer?: SharedArrayBuffer) {
    this.buffer = buffer ?? new SharedArrayBuffer(places.bytes);
    this.#words = new Int32Array(this.buffer, places.at.words, words.length);
    this.#cells = new Float64Array(this.buffer, places.at.cells, cells.length);
    this.#stalls = new Stalls(this.buffer, places.at.stalls);
    this.#samples = new Samples(this.buffer, places.at.samples);
    if (buffer) return;
    this.#cells.fill(Number.NaN);
    this.set('startedAt', Date.now());
  }

  get(cell: Cell): number {
    return this.#cells[cells.indexOf(cell)]!;
  }
  set(cell: Cell, value: number): void {
    this.#cells[cells.indexOf(cell)] = value;
  }

  /** A turn of the event loop took long. */
  stalled(stall: Stall): void {
    this.#stalls.add(stall);
  }

  /** Adds a sample. False when the other thread is at it: try again later. */
  append(at: number, figures: Figures): boolean {
    return this.#samples.append(at, figures);
  }

  /** Samples that end after `since`, oldest first: fine ones, and coarse ones from before those. Undefined when they change just now. */
  samples(since: number): Sample[] | undefined {
    return this.#samples.since(since);
  }

  /** The newest sample, without waiting for anybody. */
  latest(): Sample | undefined {
    return this.#samples.latest();
  }

  /** A thread that ended in the middle left the lock behind. */
  breakLock(): void {
    this.#samples.breakLock();
  }

  /** Stalls that ended after `since`, oldest first. */
  stalls(since: number): Stall[] {
    return this.#stalls.since(since);
  }

  /** Stalls since the recording began, those that are not kept any more included. */
  get stallCount(): number {
    return this.#stalls.count;
  }

  /** In the worker: an inspector session of its own was opened (1) or closed (-1). */
  sessions(change: 1 | -1): void {
    Atomics.add(this.#words, 0, change);
    Atomics.notify(this.#words, 0);
  }

  /** In the worker: whether the main thread ends. */
  get leaving(): boolean {
    return Atomics.load(this.#words, 1) !== 0;
  }

  /** In the main thread, when it ends: waits for sessions to be closed. An app that ends with one prints a line about it. */
  leave(limitMs: number): void {
    Atomics.store(this.#words, 1, 1);
    // counted, not timed: an app that ends with its clock replaced would wait here for ever
    for (let waitedMs = 0; waitedMs < limitMs; waitedMs += leaveStepMs) {
      const open = Atomics.load(this.#words, 0);
      if (open <= 0) return;
      Atomics.wait(this.#words, 0, open, leaveStepMs);
    }
  }
}
