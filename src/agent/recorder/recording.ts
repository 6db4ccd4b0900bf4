/**
 * The recorder's memory: one SharedArrayBuffer that the watcher writes, and the main thread reads when the process ends. About 190 KB,
 * however long it runs; pages that were never written are never taken from the system.
 */

import type { Figures } from './columns.ts';
import { layOut } from './layout.ts';
import { type Sample, Samples } from './samples.ts';
import { type Stall, Stalls } from './stalls.ts';

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

const places = layOut({
  cells: cells.length * 8,
  stalls: Stalls.bytes,
  samples: Samples.bytes,
});

export class Recording {
  readonly buffer: SharedArrayBuffer;
  readonly #cells: Float64Array;
  readonly #stalls: Stalls;
  readonly #samples: Samples;

  /** Of a new buffer, or of one that another thread made. */
  constructor(buffer?: SharedArrayBuffer) {
    this.buffer = buffer ?? new SharedArrayBuffer(places.bytes);
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
}
