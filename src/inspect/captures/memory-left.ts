/** Watches the memory that is left while a capture runs: none is worth the app. */
import { findMemoryLimit, workingSetNow } from '../../proc/cgroup.ts';
import { readKernel } from '../../proc/files.ts';

/** How often it is looked: a profile of an app with many deep stacks grows by some 5 MiB a second. */
const lookMs = 200;
/** What is left to the app, or a sixteenth of a larger limit. */
const leastBytes = 24 * 1024 * 1024;
/**
 * What handing over takes for each byte that was gathered, taken on the safe side and not measured: V8 writes a profile as text,
 * which is sent to the worker thread, read and written there, each a copy.
 */
export const handingOver = 5;

/** Bytes that the process can still get before something is killed, and where that is said; null where nothing says it. */
export interface MemoryLeft {
  readonly leftBytes: number;
  readonly limitBytes: number;
  /** Such as `the memory limit of 256 MiB`. */
  readonly of: string;
}

export async function readMemoryLeft(procDir: string): Promise<MemoryLeft | null> {
  const limit = await findMemoryLimit(procDir);
  const used = limit && workingSetNow(limit);
  const meminfo = (await readKernel('/proc/meminfo')) ?? '';
  const [total, available] = ['MemTotal', 'MemAvailable'].map((name) => {
    const kibibytes = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(meminfo)?.[1];
    return kibibytes === undefined ? Number.NaN : Number(kibibytes) * 1024;
  }) as [number, number];
  const inside = used === null ? Number.POSITIVE_INFINITY : Math.max(0, limit!.limitBytes - used);
  if (inside <= available || (Number.isNaN(available) && Number.isFinite(inside)))
    return {
      leftBytes: inside,
      limitBytes: limit!.limitBytes,
      of: `the memory limit of ${mebibytes(limit!.limitBytes)}`,
    };
  return Number.isNaN(available) ? null : { leftBytes: available, limitBytes: total, of: "the machine's memory" };
}

/** Whether what is left would not do for `timesGathered` what has been gathered since there was `before`; a sentence with the figures. */
export function shortage(now: MemoryLeft, before: MemoryLeft, timesGathered: number): string | null {
  const gathered = Math.max(0, before.leftBytes - now.leftBytes);
  const needed = Math.max(leastBytes, Math.min(now.limitBytes / 16, 4 * leastBytes)) + gathered * timesGathered;
  return now.leftBytes < needed ? `${now.of} has ${mebibytes(now.leftBytes)} left` : null;
}

/**
 * Calls `short` once, with a sentence, as soon as memory is short. `end` when the capture is over. Looks on this thread only, with
 * synchronous reads.
 */
export async function watchMemoryLeft(
  procDir: string,
  timesGathered: number,
  short: (why: string) => void,
): Promise<{ end(): void }> {
  const before = await readMemoryLeft(procDir);
  if (!before) return { end: () => {} };
  const timer = setInterval(async () => {
    const now = await readMemoryLeft(procDir);
    const why = now && shortage(now, before, timesGathered);
    if (!why) return;
    clearInterval(timer);
    short(why);
  }, lookMs);
  timer.unref();
  const atOnce = shortage(before, before, timesGathered);
  if (atOnce) {
    clearInterval(timer);
    short(atOnce);
  }
  return { end: () => clearInterval(timer) };
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024)} MiB`;
}
