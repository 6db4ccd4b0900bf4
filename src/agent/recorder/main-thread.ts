/** Where the main thread is, as the kernel shows it to another thread of its process: no question, and nothing that it notices. */
import { closeSync, openSync, readSync } from 'node:fs';
import { readStat } from '../../proc/identity.ts';

export interface Whereabouts {
  /** The set of descriptors that it waits for in epoll; undefined while it runs, or waits for something else. */
  readonly polls: string | undefined;
}

/** epoll_wait, epoll_pwait, epoll_pwait2. */
const polling: Readonly<Record<string, readonly string[]>> = { x64: ['232', '281', '441'], arm64: ['22', '441'] };

export interface MainThread {
  whereabouts(): Whereabouts;
  /** CPU time so far; NaN where the kernel does not say. */
  cpuMs(): number;
  /** How long it was ready to run so far, and had no CPU; NaN where the kernel does not say. */
  starvedMs(): number;
}

/** Files stay open: a look is two reads. */
export function mainThread(): MainThread {
  const directory = `/proc/self/task/${process.pid}`;
  const syscall = reader(`${directory}/syscall`);
  const schedule = reader(`${directory}/schedstat`);
  const calls = polling[process.arch] ?? [];
  return {
    whereabouts() {
      const text = syscall();
      // not all kernels show it: whoever sleeps is then taken to wait for events
      if (text === undefined) return { polls: readStat(directory)?.state === 'S' ? 'unknown' : undefined };
      const [call = '', set] = text.split(' ');
      return { polls: calls.includes(call) ? set : undefined };
    },
    cpuMs: () => Number(schedule()?.split(' ')[0] ?? Number.NaN) / 1e6,
    starvedMs: () => Number(schedule()?.split(' ')[1] ?? Number.NaN) / 1e6,
  };
}

function reader(path: string): () => string | undefined {
  const buffer = Buffer.alloc(256);
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    process.on('exit', () => file !== undefined && closeSync(file));
  } catch {
    return () => undefined;
  }
  return () => {
    try {
      return buffer.toString('latin1', 0, readSync(file!, buffer, 0, buffer.length, 0)).trim();
    } catch {
      return undefined;
    }
  };
}
