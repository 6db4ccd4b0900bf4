/** Progress on stderr: one line that is redrawn on a terminal, else a plain line now and then. */
import { performance } from 'node:perf_hooks';
import type { JobInfo } from '../../protocol/captures.ts';
import { bytesShort, duration } from '../../protocol/text/quantities.ts';
import type { Io } from '../io.ts';
import { printable, unguarded } from '../render/printable.ts';

/** Where stderr is no terminal. */
const plainEveryMs = 5_000;
const redrawEveryMs = 100;
const barColumns = 20;

export class Progress {
  readonly #io: Io;
  readonly #all: number;
  /** Of each that is under way. */
  readonly #lines = new Map<string, string>();
  #done = 0;
  #drawnAt = 0;
  #drawn = false;

  /** `all`: how many are watched. */
  constructor(io: Io, all: number) {
    this.#io = io;
    this.#all = all;
    // the first plain line comes after a while: what is over by then needs none
    this.#drawnAt = io.stderr.isTTY ? Number.NEGATIVE_INFINITY : performance.now();
  }

  /** What one of them does now. */
  update(name: string, text: string): void {
    this.#lines.set(name, text);
    const now = performance.now();
    const terminal = this.#io.stderr.isTTY === true;
    if (now - this.#drawnAt < (terminal ? redrawEveryMs : plainEveryMs)) return;
    this.#drawnAt = now;
    if (terminal) this.#draw();
    else this.#io.stderr.write(`${this.#line()}\n`);
  }

  /** One of them is over. */
  end(name: string): void {
    this.#lines.delete(name);
    this.#done++;
    if (this.#drawn) this.#draw();
  }

  /** A sentence that stays. */
  say(text: string): void {
    const again = this.#drawn;
    this.clear();
    this.#io.stderr.write(`${text}\n`);
    if (again) this.#draw();
  }

  clear(): void {
    if (this.#drawn) unguarded(this.#io.stderr).write('\r\u001b[K');
    this.#drawn = false;
  }

  #draw(): void {
    const columns = this.#io.stderr.columns ?? 80;
    const line = printable(this.#line());
    const cut = line.length < columns ? line : `${line.slice(0, columns - 2)}…`;
    unguarded(this.#io.stderr).write(`\r\u001b[K${cut}`);
    this.#drawn = true;
  }

  #line(): string {
    const [first] = this.#lines;
    if (this.#all === 1) return first ? `${first[0]}: ${first[1]}` : '';
    const slowest = first ? `; ${first[0]}: ${first[1]}` : '';
    return `${this.#done} of ${this.#all} done${slowest}`;
  }
}

/** `sampling [########------------] 12s of 30s, 18s left`, or what has arrived of the artifact. */
export function stateText(info: JobInfo, received: number): string {
  if (info.state !== 'running' || (received > 0 && !info.resumable)) {
    const all = info.state === 'running' ? '' : ` of ${bytesShort(info.bytes)}`;
    return `receiving ${info.state === 'running' ? '' : bar(received / Math.max(1, info.bytes))}${bytesShort(received)}${all}`;
  }
  const { phase, elapsedMs, remainingMs, progress } = info;
  if (remainingMs !== null) {
    const whole = elapsedMs + remainingMs;
    return `${phase} ${bar(elapsedMs / Math.max(1, whole))}${round(remainingMs)} left of ${round(whole)}`;
  }
  const made = info.bytes > 0 ? `, ${bytesShort(info.bytes)}` : '';
  return `${phase} ${progress === null ? '' : bar(progress)}for ${round(elapsedMs)}${made}`;
}

function bar(share: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * barColumns);
  return `[${'#'.repeat(full)}${'-'.repeat(barColumns - full)}] `;
}

/** Whole seconds below a minute: a figure that changes every second is not read to the millisecond. */
function round(milliseconds: number): string {
  return milliseconds < 60_000 ? `${Math.ceil(milliseconds / 1000)}s` : duration(milliseconds);
}
