import type { Replies } from '../../protocol/replies.ts';
import { gcText, setgcText } from '../../protocol/text/effects.ts';
import { exceptionsText } from '../../protocol/text/exceptions.ts';
import { memstatsText } from '../../protocol/text/memstats.ts';
import { processText, versionText } from '../../protocol/text/process.ts';
import { bytesShort, duration, elapsed, percent } from '../../protocol/text/quantities.ts';
import { requestAge, requestName, requestsText } from '../../protocol/text/requests.ts';
import { skewText } from '../../protocol/text/skew.ts';
import { stackText } from '../../protocol/text/stack.ts';
import { statsText } from '../../protocol/text/stats.ts';
import { waitsText } from '../../protocol/text/waits.ts';
import type { WaitKind, WaitsReply } from '../../protocol/waits.ts';
import type { Column } from '../render/columns.ts';
import type { View } from '../render/view.ts';

function column<T>(
  title: string,
  text: (value: T) => string | number | null | undefined,
  options: Partial<Column<T>> = {},
): Column<T> {
  return {
    title,
    text: (value) => {
      const shown = text(value);
      return shown === null || shown === undefined ? null : String(shown);
    },
    ...options,
  };
}
const right = { align: 'right' } as const;
const wide = { align: 'right', wide: true } as const;
const size = (bytes: number | null | undefined) => (bytes === null || bytes === undefined ? null : bytesShort(bytes));
const time = (milliseconds: number | null) => (milliseconds === null ? null : duration(milliseconds));
const ofKind =
  (...kinds: WaitKind[]) =>
  ({ waits }: WaitsReply) =>
    waits.filter(({ kind }) => kinds.includes(kind)).length;

/** Those with a command of their own that draws or lists them. */
type ShownElsewhere = 'processes' | 'history' | 'artifacts' | 'remove-artifact';

/** How every operation's reply is shown. */
export const views: { readonly [N in Exclude<keyof Replies, ShownElsewhere>]: View<Replies[N]> } = {
  version: {
    text: (version) => [...versionText(version), ...skewText(version, process.env.NODEOPS_VERSION)],
    columns: [
      column('NODE', (v) => v.nodeVersion),
      column('V8', (v) => v.v8Version),
      column('AGENT', (v) => v.agentVersion),
      column('PROTOCOL', (v) => v.protocol, right),
      column('PLATFORM', (v) => `${v.platform}/${v.arch}`),
    ],
  },
  stats: {
    text: statsText,
    columns: [
      column('CPU', (s) => (s.cpu.percent === null ? null : `${Math.round(s.cpu.percent)}%`), {
        ...right,
        figure: (s) => s.cpu.percent,
        leastDistance: 20,
      }),
      column('LOOP', (s) => (s.eventLoop.utilization === null ? null : percent(s.eventLoop.utilization)), {
        ...right,
        figure: (s) => s.eventLoop.utilization,
        leastDistance: 0.2,
      }),
      column('DELAY-P99', (s) => time(s.eventLoop.delayP99Ms), {
        ...right,
        figure: (s) => s.eventLoop.delayP99Ms,
        leastDistance: 50,
      }),
      column('DELAY-MAX', (s) => time(s.eventLoop.delayMaxMs), {
        ...right,
        figure: (s) => s.eventLoop.delayMaxMs,
        leastDistance: 100,
      }),
      column('HANDLES', (s) => s.handles?.total, {
        ...right,
        figure: (s) => s.handles?.total ?? null,
        leastDistance: 5,
      }),
      column('REQUESTS', (s) => s.requests?.total, {
        ...right,
        figure: (s) => s.requests?.total ?? null,
        leastDistance: 5,
      }),
      column('THREADS', (s) => s.threads.os, {
        ...right,
        figure: (s) => s.threads.os,
        leastDistance: 3,
      }),
      column('WORKERS', (s) => s.threads.workers, wide),
      column('CPUS', (s) => s.cpu.usable, wide),
      column('UPTIME', (s) => duration(s.uptimeSeconds * 1000), {
        ...right,
        figure: (s) => s.uptimeSeconds,
        leastDistance: 60,
      }),
    ],
  },
  memstats: {
    text: memstatsText,
    columns: [
      column('RSS', (m) => size(m.rssBytes), {
        ...right,
        figure: (m) => m.rssBytes,
        leastDistance: 10 * 1024 ** 2,
      }),
      column('LIMIT', (m) => size(m.cgroup?.limitBytes), {
        ...right,
        figure: (m) => m.cgroup?.limitBytes ?? null,
      }),
      column('HEAP-USED', (m) => size(m.heap?.usedBytes), {
        ...right,
        figure: (m) => m.heap?.usedBytes ?? null,
        leastDistance: 5 * 1024 ** 2,
      }),
      column('HEAP-TOTAL', (m) => size(m.heap?.totalBytes), {
        ...right,
        figure: (m) => m.heap?.totalBytes ?? null,
        leastDistance: 5 * 1024 ** 2,
      }),
      column('HEAP-LIMIT', (m) => size(m.heap?.limitBytes), {
        ...right,
        figure: (m) => m.heap?.limitBytes ?? null,
      }),
      column('EXTERNAL', (m) => size(m.heap?.externalBytes), {
        ...right,
        figure: (m) => m.heap?.externalBytes ?? null,
        leastDistance: 5 * 1024 ** 2,
      }),
      column('MAJOR-GCS', (m) => m.gc?.markSweepCompact.count, {
        ...right,
        figure: (m) => m.gc?.markSweepCompact.count ?? null,
        leastDistance: 5,
      }),
      column(
        'GC-PAUSE',
        (m) => m.gc && duration(m.gc.scavenge.totalPauseMs + m.gc.markSweepCompact.totalPauseMs),
        right,
      ),
      column('ARRAY-BUFFERS', (m) => size(m.heap?.arrayBuffersBytes), {
        ...wide,
        figure: (m) => m.heap?.arrayBuffersBytes ?? null,
        leastDistance: 5 * 1024 ** 2,
      }),
      column('MALLOCED', (m) => size(m.heap?.mallocedBytes), wide),
      column('CONTEXTS', (m) => m.heap?.nativeContexts, wide),
      column('DETACHED', (m) => m.heap?.detachedContexts, {
        ...wide,
        figure: (m) => m.heap?.detachedContexts ?? null,
        leastDistance: 1,
      }),
    ],
  },
  stack: { text: stackText },
  waits: {
    text: waitsText,
    columns: [
      column('SERVERS', ofKind('server'), {
        ...right,
        figure: ofKind('server'),
        leastDistance: 5,
      }),
      column('SOCKETS', ofKind('socket'), {
        ...right,
        figure: ofKind('socket'),
        leastDistance: 5,
      }),
      column('HTTP', ({ waits }) => waits.filter((wait) => wait.kind === 'socket' && wait.http !== null).length, right),
      column('TIMERS', ofKind('timer'), {
        ...right,
        figure: ofKind('timer'),
        leastDistance: 5,
      }),
      column('FS', ofKind('fs'), {
        ...right,
        figure: ofKind('fs'),
        leastDistance: 5,
      }),
      column('DNS', ofKind('dns'), {
        ...right,
        figure: ofKind('dns'),
        leastDistance: 5,
      }),
      column('CHILDREN', ofKind('process'), {
        ...right,
        figure: ofKind('process'),
        leastDistance: 5,
      }),
      column('WORKERS', ofKind('worker'), right),
      column('UDP', ofKind('udp'), wide),
      column('PORTS', ofKind('port'), wide),
      column('OTHER', ofKind('other', 'terminal'), wide),
    ],
  },
  requests: {
    text: requestsText,
    columns: [
      column('IN', ({ inFlight }) => inFlight.filter(({ direction }) => direction === 'incoming').length, {
        ...right,
        figure: ({ inFlight }) => inFlight.filter(({ direction }) => direction === 'incoming').length,
        leastDistance: 5,
      }),
      column('OUT', ({ inFlight }) => inFlight.filter(({ direction }) => direction === 'outgoing').length, {
        ...right,
        figure: ({ inFlight }) => inFlight.filter(({ direction }) => direction === 'outgoing').length,
        leastDistance: 5,
      }),
      column('QUEUED', ({ pools }) => pools.reduce((sum, { queued }) => sum + queued, 0), right),
      column(
        'PER-SECOND',
        ({ routes, windowMs }) => {
          const count = routes
            .filter(({ direction }) => direction === 'incoming')
            .reduce((sum, of) => sum + of.count, 0);
          return windowMs > 0 ? ((count / windowMs) * 1000).toFixed(1) : null;
        },
        right,
      ),
      column('AGE', ({ inFlight: [oldest] }) => oldest && requestAge(oldest), right),
      column('OLDEST', ({ inFlight: [oldest] }) => oldest && requestName(oldest)),
    ],
  },
  exceptions: {
    text: exceptionsText,
    columns: [
      column('KINDS', ({ groups }) => groups.length, right),
      column(
        'UNCAUGHT',
        ({ groups }) => groups.reduce((sum, of) => sum + (of.origin === 'uncaught' ? of.count : 0), 0),
        right,
      ),
      column(
        'REJECTIONS',
        ({ groups }) => groups.reduce((sum, of) => sum + (of.origin === 'rejection' ? of.count : 0), 0),
        right,
      ),
      column('THROWN', ({ watched }) => watched?.seen, right),
      column('LAST', ({ groups: [last] }) => last && `${last.name}${last.message && `: ${last.message.slice(0, 60)}`}`),
    ],
  },
  process: {
    text: processText,
    columns: [
      column('PPID', (p) => p.ppid, right),
      column('THREADS', (p) => p.threads, right),
      column('MEM', (p) => p.memoryPercent && `${p.memoryPercent.toFixed(1)}%`, right),
      column('CPU', (p) => p.cpuPercent && `${p.cpuPercent.toFixed(1)}%`, right),
      column('USER', (p) => p.user),
      column('ELAPSED', (p) => elapsed(p.elapsedSeconds), right),
      column('COMMAND', (p) => p.command),
    ],
  },
  gc: {
    text: gcText,
    columns: [
      column('FREED', (g) => bytesShort(g.freedBytes), right),
      column('HEAP-USED', (g) => bytesShort(g.usedAfterBytes), right),
      column('HEAP-TOTAL', (g) => bytesShort(g.totalAfterBytes), right),
      column('PAUSE', (g) => duration(g.pauseMs), right),
    ],
  },
  setgc: {
    text: setgcText,
    columns: [
      column('PREVIOUS', (g) => g.previous ?? 'off', right),
      column('CURRENT', (g) => g.current ?? 'off', right),
    ],
  },
};
