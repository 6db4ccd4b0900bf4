import { bytesShort } from '../../protocol/text/quantities.ts';
import type { Evidence } from '../evidence/evidence.ts';
import { placeIn } from '../evidence/frames.ts';
import { survivorsOf } from '../evidence/survivors.ts';
import type { Trend } from '../evidence/trend.ts';
import { finding, type Rule } from '../finding.ts';
import { grows, growthText, growthWeight, leastSteady, memoryOf, secondsTo, seenSince, untilText } from './memory.ts';

/** Of the growth, what the sites with survivors must account for before one is blamed. */
const leastAccounted = 0.25;

const leastShare = 0.15;
/** Growth without a major collection meanwhile is told for sure only from so much on: what is garbage may stay that long. */
const leastUncollected = 0.5;
/** Less is what a process grows by in its first minute. */
const leastGrownBytes = 4 * 1024 * 1024;

export const heapGrowth: Rule = {
  id: 'heap-growth',
  passed: 'the heap does not grow',
  needs: ['memstats'],
  thresholds: `the lowest values of six equal stretches grow in ≥ ${leastSteady * 100} % of the steps, by ≥ 1 MiB and ${leastShare * 100} %, and what was allocated during the look survives at every age at ≥ ${leastAccounted * 100} % of that rate`,
  find(e) {
    const forced = forcedTrend(e);
    const trend = forced ?? e.trends.heapUsedBytes;
    if (!grows(trend, forced ? 0.01 : leastShare)) return null;
    const survivors = survivorsOf(e.case.allocations);
    const accounted = (survivors?.bytesPerSecond ?? 0) / trend.perSecond;
    const collected = forced !== null || (e.gc?.majors ?? 0) > 0;
    // between two major collections a heap grows also by what is garbage
    if (survivors && accounted < leastAccounted) return null;
    if (!survivors && !collected) return null;
    const grown = trend.to - trend.from;
    const sure = forced !== null || grown >= Math.max(leastGrownBytes, collected ? 0 : trend.from * leastUncollected);
    const limit = memoryOf(e)?.heap?.limitBytes ?? null;
    const left = secondsTo(limit, trend);
    const { dominant } = survivors ?? { dominant: null };
    const who = dominant ? `, allocated below ${placeIn(dominant.frames)}` : '';
    const kept = survivors ? `; ${bytesShort(survivors.bytesPerSecond)}/s of what is allocated now stays` : '';
    return finding('heap-growth', {
      level: dominant && sure ? 'finding' : 'note',
      weight: growthWeight(left) * (dominant && sure ? 1 : 0.6),
      sentence: `the heap grows by ${growthText(trend)}${who}${kept}${untilText(left, 'the heap limit is met')}`,
      place: dominant && placeIn(dominant.frames),
      frames: dominant?.frames ?? [],
      certainty: collected && dominant ? 'certain' : 'likely',
      against: collected
        ? []
        : [
            'no major garbage collection was seen meanwhile: some of it may be garbage, or a cache that is not full yet',
          ],
      since: seenSince(e, trend, e.case.lookMs),
      next: 'pprof-heap TARGET --duration 60s',
      remedy:
        'Find what keeps these objects (a Map without eviction, an array, listeners, closures) and bound or release it.',
      figures: {
        bytesPerSecond: Math.round(trend.perSecond),
        fromBytes: trend.from,
        toBytes: trend.to,
        survivingBytesPerSecond: survivors && Math.round(survivors.bytesPerSecond),
        limitBytes: limit,
      },
    });
  },
};

/** Between two forced collections there is no garbage in the growth. */
function forcedTrend({ case: { collected } }: Evidence): Trend | null {
  const [first, last] = [collected[0], collected.at(-1)];
  if (!first || !last || last.atMs - first.atMs < 1_000) return null;
  const seconds = (last.atMs - first.atMs) / 1000;
  return {
    seconds,
    from: first.reply,
    to: last.reply,
    perSecond: (last.reply - first.reply) / seconds,
    steady: 1,
    largestStep: 1,
  };
}
