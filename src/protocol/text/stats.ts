import type { StatsReply } from '../replies.ts';
import { known, line } from './lines.ts';
import { duration, percent } from './quantities.ts';

/** The lines of `stats`, in gops' form. */
export function statsText(stats: StatsReply): string[] {
  const { threads, handles, requests, eventLoop, cpu } = stats;
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
  ];
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
