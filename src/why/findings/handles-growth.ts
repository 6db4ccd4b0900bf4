import { dominantOf } from '../evidence/dominant.ts';
import type { Evidence } from '../evidence/evidence.ts';
import { placeIn, placeOf } from '../evidence/frames.ts';
import { survivingSites } from '../evidence/survivors.ts';
import { trendOf } from '../evidence/trend.ts';
import { finding, type Rule } from '../finding.ts';

const leastCount = 30;
const leastSteady = 0.8;

const words: Readonly<Record<string, string>> = {
  Timeout: 'timers',
  Immediate: 'immediates',
  TCPSocketWrap: 'sockets',
  PipeWrap: 'pipes',
  TCPServerWrap: 'servers',
  UDPWrap: 'UDP sockets',
  ProcessWrap: 'child processes',
  FSEventWrap: 'file watchers',
  StatWatcher: 'file watchers',
  MessagePort: 'message ports',
  Worker: 'workers',
};

/** Frames under which things of a type are made. */
const makers: Readonly<Record<string, RegExp>> = {
  Timeout: /^(?:Timeout|setInterval|setTimeout|insert|start)$/,
  TCPSocketWrap: /^(?:Socket|connect|createConnection|netConnect|ClientRequest|initSocketHandle)$/,
};

export const handlesGrowth: Rule = {
  id: 'handles-growth',
  passed: 'timers, sockets and other handles do not pile up',
  needs: ['stats'],
  thresholds: `≥ ${leastCount} more of one type during the look, up in ≥ ${leastSteady * 100} % of six steps, and at least a third more than before`,
  find(e) {
    const { moments } = e.case;
    const types = Object.keys(moments.at(-1)?.stats.handles?.byType ?? {});
    const grown = types.flatMap((type) => {
      const points = moments.flatMap(({ atMs, stats }) =>
        stats.handles ? [{ atMs, value: stats.handles.byType[type] ?? 0 }] : [],
      );
      const trend = trendOf(points);
      const count = trend ? trend.to - trend.from : 0;
      const steady = trend !== null && trend.steady >= leastSteady && count >= Math.max(leastCount, trend.from / 3);
      return steady ? [{ type, trend, now: points.at(-1)!.value }] : [];
    });
    const [most] = grown.toSorted((a, b) => b.trend.perSecond - a.trend.perSecond);
    if (!most) return null;
    const { type, trend, now } = most;
    const what = words[type] ?? type;
    const maker = makerOf(e, type);
    const detail = detailOf(e, type);
    return finding('handles-growth', {
      weight: 0.72 + Math.min(0.1, trend.perSecond / 1000),
      sentence: `${what} pile up: ${now} of ${type}, ${trend.perSecond.toFixed(1)} more each second${detail ? `, ${detail}` : ''}${maker ? `, made below ${placeIn(maker.frames)}` : ''}`,
      place: maker ? placeIn(maker.frames) : detail,
      frames: maker?.frames ?? [],
      certainty: 'certain',
      next: 'waits TARGET',
      remedy:
        type === 'Timeout'
          ? 'Clear each timer when what it is for has ended (clearTimeout, clearInterval, AbortSignal).'
          : 'Close each one when what it is for has ended, reuse connections by a keep-alive agent or a pool, and set timeouts.',
      figures: { type, count: now, perSecond: trend.perSecond },
    });
  },
};

function makerOf({ case: { allocations } }: Evidence, type: string) {
  const pattern = makers[type];
  if (!allocations || !pattern) return null;
  const sites = survivingSites(allocations).filter(({ frames }) =>
    frames.slice(0, 6).some(({ function: name, file }) => file.startsWith('node:') && pattern.test(name)),
  );
  return dominantOf(sites, 0.5);
}

/** Timers by their callback, sockets by their peer: whatever most of them have in common. */
function detailOf({ case: { waits } }: Evidence, type: string): string | null {
  const all = waits.at(-1)?.reply.waits ?? [];
  const names = all.flatMap((wait) => {
    if (wait.type !== type) return [];
    if (wait.kind === 'timer')
      return [
        `${wait.repeats ? 'every' : 'once after'} ${wait.periodMs} ms${wait.callback ? ` ${placeOf(wait.callback)}` : ''}`,
      ];
    return wait.kind === 'socket' && wait.remote ? [`to ${wait.remote}`] : [];
  });
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  const [most] = [...counts].toSorted((a, b) => b[1] - a[1]);
  return most && most[1] >= names.length / 2 ? most[0] : null;
}
