import { bytesShort } from '../../protocol/text/quantities.ts';
import { dominantOf } from '../evidence/dominant.ts';
import { placeOf } from '../evidence/frames.ts';
import { survivingSites } from '../evidence/survivors.ts';
import { finding, type Rule } from '../finding.ts';
import { grows, growthText, growthWeight, leastSteady, limitOf, secondsTo, seenSince, untilText } from './memory.ts';

/** Of RSS' growth, what heap and buffers must leave unexplained. */
const leastUnexplained = 0.6;
/** RSS moves by itself: pages of the heap, of code, of arenas. */
const leastGrowthBytes = 6 * 1024 * 1024;

export const nativeGrowth: Rule = {
  id: 'native-growth',
  passed: 'no memory piles up outside heap and buffers',
  needs: ['memstats'],
  thresholds: `RSS grows in ≥ ${leastSteady * 100} % of six steps, by ≥ 6 MiB and 8 %, and heap and buffers explain less than ${Math.round((1 - leastUnexplained) * 100)} % of it`,
  find(e) {
    const rss = e.trends.rssBytes;
    if (!grows(rss, 0.08) || rss.to - rss.from < leastGrowthBytes) return null;
    const explained = ['heapTotalBytes', 'externalBytes'] as const;
    const rate = explained.reduce((sum, name) => sum + Math.max(0, e.trends[name]?.perSecond ?? 0), 0);
    const unexplained = 1 - rate / rss.perSecond;
    if (unexplained < leastUnexplained) return null;
    const sites = e.case.allocations ? survivingSites(e.case.allocations) : [];
    const dominant = dominantOf(sites, 0.5);
    const left = secondsTo(limitOf(e), rss);
    return finding('native-growth', {
      weight: growthWeight(left) - 0.02,
      sentence: `memory outside of heap and buffers grows: RSS by ${growthText(rss)}, of which heap and buffers explain ${bytesShort(rate)}/s${dominant ? `; what stays on the heap meanwhile is allocated below ${placeOf(dominant.frame)}` : ''}${untilText(left, 'the container’s memory limit is met')}`,
      place: dominant && placeOf(dominant.frame),
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
