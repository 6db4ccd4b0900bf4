import type { Occurrences, PoolUse, StatsReply, ThreadUse } from '../replies.ts';
import { known, line } from './lines.ts';
import { duration, percent, counted as threadCount } from './quantities.ts';

/** An agent that begins to count within this of the process's start has counted from the start. */
const startMs = 10_000;

/** The lines of `stats`, in gops' form; `now` is what times are told from, in milliseconds since 1970. */
export function statsText(stats: StatsReply, now: number = Date.now()): string[] {
  const { threads, handles, requests, eventLoop, cpu, errors } = stats;
  const countedMs = errors ? Math.max(0, now - Date.parse(errors.since)) : 0;
  // nothing is known of what was before
  const since = countedMs + startMs < stats.uptimeSeconds * 1000 ? [`counted for ${duration(countedMs)}`] : [];
  const times = (of: Occurrences | null | undefined) => known(of ?? null, (value) => occurrences(value, now, since));
  const quota = cpu.quota === null ? '' : `, cgroup quota ${cpu.quota}`;
  return [
    line('uptime', duration(stats.uptimeSeconds * 1000)),
    line('OS threads', threads.os),
    line('worker threads', threads.workers),
    line('libuv pool', stats.pool ? pool(stats.pool) : threads.uvPool),
    ...descriptors(stats.descriptors),
    line('active handles', known(handles, counted)),
    line('active requests', known(requests, counted)),
    line('event-loop utilization', known(eventLoop.utilization, percent)),
    line('event-loop delay', loopDelay(eventLoop)),
    line('CPUs usable', `${cpu.usable} (${cpu.online} online${quota})`),
    line('CPU time', `${duration(cpu.userSeconds * 1000)} user, ${duration(cpu.systemSeconds * 1000)} system`),
    line(
      'CPU',
      known(cpu.percent, (value) => `${value.toFixed(1)}% of one core`),
    ),
    ...(stats.threadUse ?? []).map((use) => line(`  ${threadName(use)}`, cpuOf(use))),
    line('uncaught exceptions', times(errors?.uncaughtExceptions)),
    line('unhandled rejections', times(errors?.unhandledRejections)),
    line('process warnings', times(errors?.warnings)),
  ];
}

/** `3 (last 12.00s ago)`; clocks of two machines may differ, and nothing happened in the future. */
function occurrences({ count, lastAt }: Occurrences, now: number, more: readonly string[]): string {
  const last = lastAt === null ? [] : [`last ${duration(Math.max(0, now - Date.parse(lastAt)))} ago`];
  const said = [...last, ...more].join(', ');
  return said === '' ? String(count) : `${count} (${said})`;
}

function counted({ total, byType }: { total: number; byType: Record<string, number> }): string {
  const types = Object.entries(byType).sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  return types.length === 0
    ? String(total)
    : `${total} (${types.map(([type, count]) => `${type} ${count}`).join(', ')})`;
}

function loopDelay(loop: StatsReply['eventLoop']): string | null {
  if (loop.delayMaxMs === null) return null;
  const of = (value: number | null) => (value === null ? '?' : duration(value));
  return `p50 ${of(loop.delayP50Ms)}, p99 ${of(loop.delayP99Ms)}, max ${of(loop.delayMaxMs)} (over ${duration(loop.windowMs)})`;
}

function threadName({ name, threads, kind }: ThreadUse): string {
  return threads > 1 || kind === 'pool' || kind === 'v8' ? `${name} (${threadCount(threads, 'thread')})` : name;
}

function cpuOf({ percent: share, cpuSeconds, waitingPercent }: ThreadUse): string {
  const total = `${duration(cpuSeconds * 1000)} in all`;
  if (share === null) return total;
  // less than that is the scheduler's daily business
  const waited =
    waitingPercent !== null && waitingPercent >= 5 ? `, waited for a CPU ${waitingPercent.toFixed(0)}%` : '';
  return `${share.toFixed(1)}%${waited} (${total})`;
}

function pool({ threads, size, busy, work, queued, delayMs, delayIsLeast }: PoolUse): string {
  if (threads === 0) return `${size} (not started)`;
  if (busy === null) return String(threads);
  const doing = work.map(({ what, count }) => (count > 1 ? `${count} × ${what}` : what)).join(', ');
  const parts = [
    `${threads}, ${busy} busy${doing && `: ${doing}`}`,
    ...(queued ? [`at least ${queued} queued`] : []),
    ...(delayMs ? [`new work waits ${delayIsLeast ? 'more than ' : ''}${duration(delayMs)}`] : []),
  ];
  return parts.join('; ');
}

function descriptors(of: StatsReply['descriptors']): string[] {
  if (!of || of.open === null) return [];
  return [line('file descriptors', `${of.open} of ${of.limit ?? 'no limit'}`)];
}
