import { bytesShort } from '../../protocol/text/quantities.ts';
import { dominantOf } from '../evidence/dominant.ts';
import type { Evidence } from '../evidence/evidence.ts';
import { placeIn } from '../evidence/frames.ts';
import { survivingSites } from '../evidence/survivors.ts';
import { type Trend, trendOf } from '../evidence/trend.ts';
import { finding, type Rule } from '../finding.ts';
import { grows, growthText, growthWeight, limitOf, secondsTo, seenSince, untilText } from './memory.ts';

/** Of RSS' growth, what heap and buffers must leave unexplained. */
const leastUnexplained = 0.6;
/** RSS moves by itself: pages of the heap, of code, of arenas. */
const leastGrowthBytes = 8 * 1024 * 1024;
const leastSteady = 0.8;
/** The look itself costs some megabytes, all of them at its begin. */
const settledMs = 3_500;
const leastOfLook = 24 * 1024 * 1024;
/** A past that is shorter is the app's start. */
const longSeconds = 90;

export const nativeGrowth: Rule = {
  id: 'native-growth',
  passed: 'no memory piles up outside heap and buffers',
  needs: ['memstats'],
  thresholds: `RSS grows in ≥ ${leastSteady * 100} % of six steps, by ≥ 8 MiB and 8 % over the recorder’s past of ≥ 90 s, or by ≥ 24 MiB after the first 3.5 s of the look, and heap and buffers explain less than ${Math.round((1 - leastUnexplained) * 100)} % of it`,
  find(e) {
    const rss = settledRss(e);
    if (!grows(rss, 0.08) || rss.steady < leastSteady || rss.to - rss.from < leastGrowthBytes) return null;
    const explained = ['heapTotalBytes', 'externalBytes'] as const;
    const rate = explained.reduce((sum, name) => sum + Math.max(0, e.trends[name]?.perSecond ?? 0), 0);
    const unexplained = 1 - rate / rss.perSecond;
    if (unexplained < leastUnexplained) return null;
    const sites = e.case.allocations ? survivingSites(e.case.allocations) : [];
    const dominant = dominantOf(sites, 0.5);
    const left = secondsTo(limitOf(e), rss);
    return finding('native-growth', {
      weight: growthWeight(left) - 0.02,
      sentence: `memory outside of heap and buffers grows: RSS by ${growthText(rss)}, of which heap and buffers explain ${bytesShort(rate)}/s${dominant ? `; what stays on the heap meanwhile is allocated below ${placeIn(dominant.frames)}` : ''}${untilText(left, 'the container’s memory limit is met')}`,
      place: dominant && placeIn(dominant.frames),
      frames: dominant?.frames ?? [],
      certainty: dominant ? 'likely' : 'possible',
      against: ['malloc gives memory back late: RSS may rise for a while after a burst'],
      since: seenSince(e, rss, e.case.lookMs),
      next: 'memstats TARGET',
      remedy:
        'Close what holds native state (zlib and crypto streams, database handles, addons), set MALLOC_ARENA_MAX=2 or use jemalloc where malloc keeps what is free.',
      figures: {
        bytesPerSecond: Math.round(rss.perSecond),
        explainedBytesPerSecond: Math.round(rate),
        fromBytes: rss.from,
        toBytes: rss.to,
      },
    });
  },
};

/** From the recorder's past where it is long enough, else from the look. */
function settledRss({ case: { moments, past, at } }: Evidence): Trend | null {
  const began = Date.parse(at);
  const before = (past?.times ?? []).flatMap((time, index) => {
    const value = past!.series.rssBytes.mean[index];
    return typeof value === 'number' && time < began ? [{ atMs: time - began, value }] : [];
  });
  const long = trendOf(before);
  if (long && long.seconds >= longSeconds) return long;
  const now = trendOf(
    moments.flatMap(({ atMs, memory: { rssBytes } }) =>
      rssBytes === null || atMs < settledMs ? [] : [{ atMs, value: rssBytes }],
    ),
  );
  return now && now.to - now.from >= leastOfLook ? now : null;
}
