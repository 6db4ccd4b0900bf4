import type { Occurrences, StatsReply } from '../replies.ts';
import { known, line } from './lines.ts';
import { duration, percent } from './quantities.ts';

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
    line('libuv pool', threads.uvPool),
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
