/** The threads of a process as the kernel shows them, and what each is for. */
import { readLinkNow, readNames, readText } from './files.ts';
import { readStat, ticksPerSecond } from './identity.ts';

export interface KernelThread {
  readonly tid: number;
  /** As the thread called itself, at most 15 characters. */
  readonly comm: string;
  /** Kernel's state letter. */
  readonly state: string;
  /** CPU since the thread began, in milliseconds; exact where the kernel keeps `schedstat`, else in steps of 10. */
  readonly cpuMs: number;
  /** Time it was ready to run and waited for a CPU, in milliseconds; null where the kernel does not count it. */
  readonly waitedMs: number | null;
}

/** `inspect`: threads looked at, at most. Null where there is no /proc, or the process has ended. */
export function readThreads(procDir: string, limit = 2_000): KernelThread[] | null {
  const names = readNames(`${procDir}/task`);
  if (!names) return null;
  const threads: KernelThread[] = [];
  for (const name of names.slice(0, limit)) {
    const thread = readThread(`${procDir}/task/${name}`, Number(name));
    if (thread) threads.push(thread);
  }
  return threads;
}

export function readThread(taskDir: string, tid: number): KernelThread | null {
  const stat = readStat(taskDir);
  if (!stat) return null;
  const [run, waited] = (readText(`${taskDir}/schedstat`) ?? '').trim().split(' ').map(Number);
  const counted = run !== undefined && waited !== undefined && run > 0;
  return {
    tid,
    comm: stat.name,
    state: stat.state,
    cpuMs: counted ? run / 1e6 : ((stat.utime + stat.stime) * 1_000) / ticksPerSecond,
    waitedMs: counted ? waited / 1e6 : null,
  };
}

/** The main thread's id, which is the process's own, as numbered where `procDir` is. */
export function mainThreadOf(procDir: string): number {
  const name = procDir.slice('/proc/'.length);
  return Number(name === 'self' ? readLinkNow('/proc/self') : name);
}

/** What a thread waits for in the kernel; null where that may not be seen. */
export interface ThreadCall {
  /** Undefined while it runs. */
  readonly number: number | undefined;
  /** Arguments, as they are in registers. */
  readonly args: readonly bigint[];
  /** Stack pointer, where it is shown. */
  readonly stack: bigint | undefined;
}

/** Takes the right to trace the process: the same user, and not less capabilities. */
export function readThreadCall(procDir: string, tid: number): ThreadCall | null {
  const text = readText(`${procDir}/task/${tid}/syscall`)?.trim();
  if (!text) return null;
  const parts = text.split(' ');
  if (parts[0] === 'running') return { number: undefined, args: [], stack: undefined };
  const words = parts.slice(1).map((part) => BigInt(part));
  return { number: Number(parts[0]), args: words.slice(0, 6), stack: words.at(-2) };
}
