import { totalmem } from 'node:os';
import { commandLength, readProcessSummary, userName } from '../../proc/process.ts';
import type { ProcessReply } from '../../protocol/replies.ts';
import type { Readings, Subject } from '../subject.ts';

/** `process`: what the kernel shows of the process; the main thread is not asked. */
export const readProcess: Readings['process'] = async (subject, { duration }) => {
  const { data, notes } = await readProcessSummary(subject.procDir, subject.pid, duration);
  return { data: data ?? (await withoutKernel(subject, duration)), stuck: null, notes };
};

/** Where there is no /proc, what a process knows of itself. */
async function withoutKernel({ pid, procDir, ownThreadId }: Subject, durationMs: number): Promise<ProcessReply> {
  const inside = ownThreadId !== undefined;
  const rssBytes = inside ? process.memoryUsage.rss() : null;
  const uid = inside ? process.getuid?.() : undefined;
  return {
    pid,
    ppid: inside ? process.ppid : 0,
    threads: null,
    rssBytes,
    memoryPercent: rssBytes === null ? null : (rssBytes / totalmem()) * 100,
    cpuPercent: null,
    cpuPercentOver: null,
    durationMs,
    user: uid === undefined ? null : await userName(procDir, uid),
    command: inside ? process.argv.join(' ').slice(0, commandLength) : '',
    elapsedSeconds: inside ? process.uptime() : 0,
    sockets: null,
    children: null,
    environment: null,
  };
}
