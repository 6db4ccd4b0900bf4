/** `nodeops PID`: any process of this machine, with an agent or without, as gops sums one up. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { readProcessSummary } from '../../../proc/process.ts';
import { NodeopsError } from '../../../protocol/errors.ts';
import type { Envelope, ProcessReply } from '../../../protocol/replies.ts';
import { schema } from '../../../protocol/wire.ts';
import type { Io } from '../../io.ts';

/** Takes `durationMs` to measure CPU over that long. Throws `no-such-process`. */
export async function summarize(pid: number, durationMs: number, io: Io): Promise<Envelope<ProcessReply>> {
  const { data, notes } =
    process.platform === 'linux'
      ? await readProcessSummary(`/proc/${pid}`, pid, durationMs)
      : await fromPs(pid, durationMs);
  if (!data) throw new NodeopsError('no-such-process', `there is no process ${pid}`, { hint: `${io.program} list` });
  return {
    schema,
    operation: 'process',
    at: io.now().toISOString(),
    process: { container: null, pid },
    data,
    stuck: null,
    notes: [...notes],
  };
}

/** macOS and the BSDs: what ps tells; CPU over a time and sockets it does not. */
async function fromPs(pid: number, durationMs: number): Promise<{ data: ProcessReply | null; notes: string[] }> {
  const columns = ['ppid=', 'rss=', '%mem=', '%cpu=', 'user=', 'etime=', 'args='].flatMap((column) => ['-o', column]);
  const { stdout } = await promisify(execFile)('ps', ['-ww', '-p', String(pid), ...columns]).catch(() => ({
    stdout: '',
  }));
  const [, ppid, rss, memory, cpu, user, elapsed, command] =
    /^\s*(\d+)\s+(\d+)\s+([\d.]+)\s+([\d.]+)\s+(\S+)\s+([\d:-]+)\s+(.*)$/m.exec(stdout) ?? [];
  if (command === undefined) return { data: null, notes: [] };
  const data = {
    pid,
    ppid: Number(ppid),
    threads: null,
    rssBytes: Number(rss) * 1024,
    memoryPercent: Number(memory),
    cpuPercent: Number(cpu),
    cpuPercentOver: null,
    durationMs,
    user: user!,
    command,
    elapsedSeconds: elapsedSeconds(elapsed!),
    sockets: null,
  };
  return { data, notes: ['threads, sockets and CPU over a time are not shown on this system'] };
}

/** `[[DD-]hh:]mm:ss` */
export function elapsedSeconds(text: string): number {
  const [, days = 0, hours = 0, minutes = 0, seconds = 0] = /^(?:(?:(\d+)-)?(\d+):)?(\d+):(\d+)$/.exec(text) ?? [];
  return ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds);
}
