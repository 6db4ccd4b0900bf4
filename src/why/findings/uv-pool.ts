import { counted, duration } from '../../protocol/text/quantities.ts';
import type { Evidence } from '../evidence/evidence.ts';
import { placeOf } from '../evidence/frames.ts';
import { finding, type Rule } from '../finding.ts';

const fullShare = 0.6;
const leastDelayMs = 20;

export const uvPool: Rule = {
  id: 'uv-pool',
  passed: 'libuv’s pool has threads to spare',
  needs: ['stats'],
  thresholds: `all threads of the pool at work in ≥ ${fullShare * 100} % of the moments, and new work waits for ≥ ${leastDelayMs} ms or is seen queued`,
  find(e) {
    const pools = e.case.moments.flatMap(({ stats }) => (stats.pool && stats.pool.threads > 0 ? [stats.pool] : []));
    const full = pools.filter(({ busy, threads }) => busy !== null && busy >= threads);
    if (pools.length < 3 || full.length < pools.length * fullShare) return null;
    const delays = full.flatMap(({ delayMs }) => delayMs ?? []).toSorted((a, b) => a - b);
    const delayMs = delays[delays.length >> 1] ?? 0;
    const queued = Math.max(0, ...full.map((pool) => pool.queued ?? 0));
    if (delayMs < leastDelayMs && queued === 0) return null;
    const { size } = full.at(-1)!;
    const counts = new Map<string, number>();
    for (const { what, count } of full.flatMap(({ work }) => work)) counts.set(what, (counts.get(what) ?? 0) + count);
    const [most] = [...counts].toSorted((a, b) => b[1] - a[1]);
    const who = starterOf(e);
    const least = full.some(({ delayIsLeast }) => delayIsLeast) ? 'at least ' : '';
    return finding('uv-pool', {
      weight: 0.78 + Math.min(0.1, delayMs / 5_000),
      sentence: `libuv’s pool is full: ${counted(size, 'thread')}, all at work${most ? ` (most of them ${most[0]})` : ''}; new file, lookup, crypto and zlib work waits ${delayMs > 0 ? `${least}${duration(delayMs)}` : `(${queued} queued)`}${who ? `; crypto or zlib is started by ${placeOf(who)}` : ''}`,
      place: who ? placeOf(who) : `UV_THREADPOOL_SIZE ${size}`,
      certainty: 'certain',
      next: 'waits TARGET',
      remedy:
        'Raise UV_THREADPOOL_SIZE (to the number of CPUs or some more), do less at a time, or move the heavy work to worker threads.',
      figures: { size, delayMs, queued, work: most?.[0] ?? null },
    });
  },
};

/** Who starts crypto and compression, seen for the moment that it takes to hand it over. */
function starterOf({ work, case: { allocations } }: Evidence) {
  const seen = work.find(({ kind, caller }) => (kind === 'crypto' || kind === 'zlib') && caller)?.caller;
  const site = allocations?.sites.find(({ frames }) =>
    frames.some(({ file }) => /^node:(?:internal\/crypto|zlib|crypto)/.test(file)),
  );
  return seen ?? site?.frames.find(({ file }) => file !== '' && !file.startsWith('node:')) ?? null;
}
