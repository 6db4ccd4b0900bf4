/**
 * The recorder's memory: one SharedArrayBuffer that the main thread writes and its worker reads, so that a figure costs the
 * app no message, and an agent that wakes later finds what was recorded while it slept. About 190 KB, however long it runs;
 * pages that were never written are never taken from the system.
 */
import { Beats, type Stall } from './beats.ts';
import type { Figures } from './columns.ts';
import { layOut } from './layout.ts';
import { type Sample, Samples } from './samples.ts';

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
] as const;
type Cell = (typeof cells)[number];

const leaveStepMs = 5;

const places = layOut({
  words: words.length * 4,
  cells: cells.length * 8,
  beats: Beats.bytes,
  samples: Samples.bytes,
});

export class Recording {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #cells: Float64Array;
  readonly #beats: Beats;
  readonly #samples: Samples;

  /** Of a new buffer, or of one that another thread made. */
  constructor(buffer?: SharedArrayBuffer) {
    this.buffer = buffer ?? new SharedArrayBuffer(places.bytes);
    this.#words = new Int32Array(this.buffer, places.at.words, words.length);
    this.#cells = new Float64Array(this.buffer, places.at.cells, cells.length);
    this.#beats = new Beats(this.buffer, places.at.beats);
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

  /** Beats of the main thread so far. */
  get beats(): number {
    return this.#beats.count;
  }

  /** The main thread has turned: how late, and whether the turn before counts as a stall. */
  beat(latenessMs: number, beatMs: number, stalledMs: number | undefined): void {
    this.#beats.add(latenessMs, beatMs, stalledMs);
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
    return this.#beats.stalls(since);
  }

  /** Stalls since the recording began, those that are not kept any more included. */
  get stallCount(): number {
    return this.#beats.stallCount;
  }

  /** Lateness that a share of the last beats stayed below, of a minute's at most; undefined before the first beat. */
  lateness(share: number, beats = Beats.kept): number | undefined {
    return this.#beats.lateness(share, beats);
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
