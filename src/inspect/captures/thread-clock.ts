import { closeSync, openSync, readSync } from 'node:fs';
import { syscallName } from '../../proc/syscalls.ts';
import type { ThreadClockReadings } from '../../protocol/captures.ts';

/** Between two readings: 10 µs each, a tenth of a percent of a core. */
const everyMs = 10;
/** Readings kept; past them they are taken half as often, and half of those there are is let go. */
const readingsKept = 20_000;
const running = 'running';

/**
 * Reads beside a profile what the kernel says of the thread: the CPU it had (`schedstat`), and where it waits. The profiler
 * looks by the wall clock, and does not tell a thread at work from one asleep in `Atomics.wait` or `execSync`. Read without
 * libuv's pool, whose threads are the app's.
 */
export class ThreadClock {
  readonly #schedstat: number;
  readonly #syscall: number | null;
  readonly #buffer = Buffer.alloc(256);
  #timer: NodeJS.Timeout | undefined;
  #everyMs = everyMs;
  #micros: number[] = [];
  #cpuMicros: number[] = [];
  #queuedMicros: number[] = [];
  #doing: number[] = [];
  readonly #names: string[] = [running];

  /** Null where the kernel does not tell: another system, a sandbox, no permission. */
  static open(task: string | null): ThreadClock | null {
    if (task === null || process.platform !== 'linux') return null;
    try {
      const schedstat = openSync(`${task}/schedstat`, 'r');
      return new ThreadClock(schedstat, openOptional(`${task}/syscall`));
    } catch {
      return null;
    }
  }

  private constructor(schedstat: number, syscall: number | null) {
    this.#schedstat = schedstat;
    this.#syscall = syscall;
    this.#read();
    this.#arm();
  }

  /** Ends the readings; null when there are too few to say anything. */
  close(): ThreadClockReadings | null {
    if (this.#timer === undefined) return null;
    this.#read();
    clearInterval(this.#timer);
    this.#timer = undefined;
    closeSync(this.#schedstat);
    if (this.#syscall !== null) closeSync(this.#syscall);
    if (this.#micros.length < 2) return null;
    return {
      micros: this.#micros,
      cpuMicros: this.#cpuMicros,
      queuedMicros: this.#queuedMicros,
      ...(this.#syscall === null ? {} : { doing: this.#doing, names: this.#names }),
    };
  }

  #arm(): void {
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#read(), this.#everyMs);
  }

  #read(): void {
    try {
      const [cpu, queued] = this.#text(this.#schedstat).split(' ');
      if (!(Number(cpu) >= 0 && Number(queued) >= 0)) return;
      const doing = this.#syscall === null ? 0 : this.#nameOf(this.#text(this.#syscall));
      // V8 and hrtime count by the same clock
      this.#micros.push(Math.round(Number(process.hrtime.bigint() / 1000n)));
      this.#cpuMicros.push(Math.round(Number(cpu) / 1000));
      this.#queuedMicros.push(Math.round(Number(queued) / 1000));
      this.#doing.push(doing);
    } catch {
      // the thread has ended
    }
    if (this.#micros.length > readingsKept) this.#thin();
  }

  /** `running`, or the system call it waits in. */
  #nameOf(text: string): number {
    const number = /^(-?\d+)/.exec(text)?.[1];
    // -1: it waits outside of any call, such as for a page of memory
    const name = number === undefined ? running : Number(number) < 0 ? 'page fault' : syscallName(Number(number));
    const known = this.#names.indexOf(name);
    return known >= 0 ? known : this.#names.push(name) - 1;
  }

  #thin(): void {
    const half = (values: number[]) => values.filter((_, i) => i % 2 === 0);
    this.#micros = half(this.#micros);
    this.#cpuMicros = half(this.#cpuMicros);
    this.#queuedMicros = half(this.#queuedMicros);
    this.#doing = half(this.#doing);
    this.#everyMs *= 2;
    this.#arm();
  }

  #text(fd: number): string {
    return this.#buffer.toString('latin1', 0, readSync(fd, this.#buffer, 0, this.#buffer.length, 0));
  }
}

function openOptional(path: string): number | null {
  try {
    const fd = openSync(path, 'r');
    readSync(fd, Buffer.alloc(16), 0, 16, 0);
    return fd;
  } catch {
    return null;
  }
}
