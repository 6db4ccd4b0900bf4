import { readKernel } from './files.ts';
import { parseStat, ticksPerSecond } from './identity.ts';

export interface KernelStatus {
  ppid: number;
  threads: number;
  rssBytes: number;
  /** The most it ever was; null where the kernel does not keep it. */
  peakRssBytes: number | null;
  uid: number;
  /** Number of CPUs in the affinity mask. */
  allowedCpus: number;
  userSeconds: number;
  systemSeconds: number;
  elapsedSeconds: number;
  /** Bit N-1 is signal N: those the process catches. */
  caughtSignals: bigint;
}

/** `/proc/PID/{status,stat}` in one; null where there is no /proc. */
export async function readStatus(procDir: string): Promise<KernelStatus | null> {
  const [status, stat, uptime] = await Promise.all([
    readKernel(`${procDir}/status`),
    readKernel(`${procDir}/stat`),
    readKernel('/proc/uptime'),
  ]);
  if (status === null || stat === null || uptime === null) return null;
  const field = (name: string): string => new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(status)?.[1] ?? '0';
  const { utime, stime, startTicks } = parseStat(stat);
  return {
    ppid: Number(field('PPid')),
    threads: Number(field('Threads')),
    rssBytes: Number(field('VmRSS')) * 1024,
    peakRssBytes: Number(field('VmHWM')) * 1024 || null,
    uid: Number(field('Uid')),
    allowedCpus: countCpuList(field('Cpus_allowed_list')),
    userSeconds: utime / ticksPerSecond,
    systemSeconds: stime / ticksPerSecond,
    elapsedSeconds: Math.max(0, Number.parseFloat(uptime) - startTicks / ticksPerSecond),
    caughtSignals: BigInt(`0x${field('SigCgt')}`),
  };
}

/** CPU seconds used so far, user and system; null where there is no /proc. */
export async function readCpuSeconds(procDir: string): Promise<number | null> {
  const stat = await readKernel(`${procDir}/stat`);
  if (stat === null) return null;
  const { utime, stime } = parseStat(stat);
  return (utime + stime) / ticksPerSecond;
}

/** How many CPUs a list such as `0-3,8` names. */
export function countCpuList(list: string): number {
  return list.split(',').reduce((count, range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return count + last - first + 1;
  }, 0);
}
