/** What tells a process from any other: its pid namespace, its number there, and when it started. Read once here for all. */
import { readLinkNow, readText } from './files.ts';

/** Clock ticks of `/proc/PID/stat` per second: fixed in Linux's interface to user space. */
export const ticksPerSecond = 100;

export interface Stat {
  /** As the kernel knows it, at most 15 characters. */
  readonly name: string;
  /** The state's letter: Z has ended and was not waited for. */
  readonly state: string;
  readonly ppid: number;
  /** In ticks. */
  readonly utime: number;
  readonly stime: number;
  /** Since boot. */
  readonly startTicks: number;
}

/** Parses a `stat` file; the name in parentheses may hold anything, spaces and parentheses too. */
export function parseStat(text: string): Stat {
  const end = text.lastIndexOf(')');
  const fields = text.slice(end + 2).split(' ');
  return {
    name: text.slice(text.indexOf('(') + 1, end),
    state: fields[0] || '?',
    ppid: Number(fields[1]),
    utime: Number(fields[11]),
    stime: Number(fields[12]),
    startTicks: Number(fields[19]),
  };
}

/** Of `/proc/PID` or `/proc/PID/task/TID`; undefined for what has gone, or where there is no /proc. */
export function readStat(directory: string): Stat | undefined {
  const text = readText(`${directory}/stat`);
  return text === null || text === '' ? undefined : parseStat(text);
}

/** Whether it has ended, and only waits for its parent to notice. */
export function hasEnded({ state }: Stat): boolean {
  return state === 'Z' || state === 'X';
}

/** When a process started; undefined for one that has ended, or cannot be seen. */
export function startTicks(pid: number): number | undefined {
  const stat = readStat(`/proc/${pid}`);
  return stat && !hasEnded(stat) ? stat.startTicks : undefined;
}

/** ISO 8601, by this machine's clock; undefined where the kernel does not say how long it runs. */
export function startedAt(ticks: number): string | undefined {
  const up = Number.parseFloat(readText('/proc/uptime') ?? '');
  const age = Math.max(0, up - ticks / ticksPerSecond);
  return Number.isNaN(age) ? undefined : new Date(Date.now() - age * 1_000).toISOString();
}

/** The pid namespace of this process, as the kernel names it: `pid:[4026531836]`; the platform where there are none. */
export function pidNamespace(): string {
  return readLinkNow('/proc/self/ns/pid') ?? process.platform;
}

/** The mount namespace of this process, or of another whose namespaces may be looked at: `mnt:[4026531841]`. */
export function mountNamespace(procDir = '/proc/self'): string {
  return readLinkNow(`${procDir}/ns/mnt`) ?? process.platform;
}

/** Whether a process runs: one that has ended and was not waited for does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
  const stat = readStat(`/proc/${pid}`);
  return stat === undefined || !hasEnded(stat);
}
