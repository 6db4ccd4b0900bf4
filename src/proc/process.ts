import { totalmem } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProcessReply } from '../protocol/replies.ts';
import { readChildren } from './children.ts';
import { readEnvironment } from './environment.ts';
import { readKernel } from './files.ts';
import { readSockets } from './sockets.ts';
import { readCpuSeconds, readStatus } from './status.ts';

/** argv joined by spaces is cut here. */
export const commandLength = 4_096;

/** What `process` replies with, as /proc shows it; the process itself is not asked. */
export interface ProcessSummary {
  /** null where there is no /proc, or the process has ended. */
  readonly data: ProcessReply | null;
  readonly notes: readonly string[];
}

/**
 * Parent, threads, memory, CPU, user, command and sockets of a process. `procDir` is where the kernel shows it:
 * `/proc/self` or `/proc/PID`. Takes `durationMs` to measure CPU over that long; 0 measures nothing and takes no time.
 */
export async function readProcessSummary(procDir: string, pid: number, durationMs: number): Promise<ProcessSummary> {
  const over = await measureCpu(procDir, durationMs);
  const [status, cmdline, comm, sockets] = await Promise.all([
    readStatus(procDir),
    readKernel(`${procDir}/cmdline`),
    readKernel(`${procDir}/comm`),
    readSockets(procDir),
  ]);
  const notes = sockets ? [] : ['its sockets may not be seen here: other user, or no /proc'];
  if (!status) return { data: null, notes };
  const command = cmdline?.split('\0').join(' ').trim() || `[${comm?.trim() ?? ''}]`;
  const { ppid, threads, rssBytes, elapsedSeconds } = status;
  const cpuSeconds = status.userSeconds + status.systemSeconds;
  const data = {
    pid,
    ppid,
    threads,
    rssBytes,
    memoryPercent: (rssBytes / totalmem()) * 100,
    cpuPercent: elapsedSeconds === 0 ? null : (cpuSeconds / elapsedSeconds) * 100,
    cpuPercentOver: over,
    durationMs,
    user: await userName(procDir, status.uid),
    command: command.slice(0, commandLength),
    elapsedSeconds,
    sockets,
    children: readChildren(procDir),
    environment: readEnvironment(procDir),
  };
  return { data, notes };
}

async function measureCpu(procDir: string, durationMs: number): Promise<number | null> {
  if (durationMs === 0) return null;
  const startedAt = performance.now();
  const before = await readCpuSeconds(procDir);
  await sleep(durationMs);
  const after = await readCpuSeconds(procDir);
  if (before === null || after === null) return null;
  return ((after - before) / (performance.now() - startedAt)) * 100_000;
}

/** The name in the process's own passwd file, else in ours, else the number. */
export async function userName(procDir: string, uid: number): Promise<string> {
  const passwd = (await readKernel(`${procDir}/root/etc/passwd`)) ?? (await readKernel('/etc/passwd'));
  const line = passwd?.split('\n').find((entry) => entry.split(':')[2] === String(uid));
  return line?.split(':')[0] || String(uid);
}
