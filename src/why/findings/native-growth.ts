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
/** A look, its profiles and the agent’s worker leave some ten megabytes behind: what is told as a finding is more than a few of them. */
const clearBytes = 48 * 1024 * 1024;
const clearShare = 0.4;
const leastSteady = 0.8;
/** The look itself costs some megabytes, all of them at its begin. */
const settledMs = 3_500;
const leastOfLook = 24 * 1024 * 1024;
/** What grows by one jump is a buffer, or a heap that was made larger. */
const largestStep = 0.45;
/** A past that is shorter is the app's start. */
const longSeconds = 90;

export const nativeGrowth: Rule = {
  id: 'native-growth',
  passed: 'no memory piles up outside heap and buffers',
  needs: ['memstats'],
  thresholds: `RSS grows in ≥ ${leastSteady * 100} % of six steps, by ≥ 48 MiB and 40 % over the recorder’s past of ≥ 90 s (a note from 8 MiB and 8 % on), or evenly by ≥ 24 MiB after the first 3.5 s of the look, and heap and buffers explain less than ${Math.round((1 - leastUnexplained) * 100)} % of it`,
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
    const clear =
      rss.seconds < longSeconds || (rss.to - rss.from >= clearBytes && rss.to >= rss.from * (1 + clearShare));
    return finding('native-growth', {
      level: clear ? 'finding' : 'note',
      weight: (growthWeight(left) - 0.02) * (clear ? 1 : 0.4),
      sentence: `memory outside of heap and buffers grows: RSS by ${growthText(rss)}, of which heap and buffers explain ${bytesShort(rate)}/s${partsText(e)}${dominant ? `; what stays on the heap meanwhile is allocated below ${placeIn(dominant.frames)}` : ''}${untilText(left, 'the container’s memory limit is met')}`,
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

/** Which part of RSS grew most during the look, and what holds it. */
function partsText({ case: { resident = [] } }: Evidence): string {
  const [first, last] = [resident[0]?.reply, resident.at(-1)?.reply];
  if (!first || !last || resident.length < 2) return '';
  const parts = [
    ['what malloc holds', last.nativeBytes - first.nativeBytes],
    ['mapped files', last.filesBytes - first.filesBytes],
    ['thread stacks', last.stacksBytes - first.stacksBytes],
    ['compiled code', last.v8CodeBytes - first.v8CodeBytes],
    ['shared memory', last.sharedBytes - first.sharedBytes],
    ['other mappings', last.otherBytes - first.otherBytes],
  ] as const;
  const [name, grown] = parts.toSorted((a, b) => b[1] - a[1])[0]!;
  if (grown < 1024 * 1024) return '';
  const { allocator } = last;
  const arenas =
    name === 'what malloc holds' && allocator.name === 'glibc' && allocator.arenas > 1 && allocator.arenaMax === null
      ? `, in ${allocator.arenas} arenas of glibc without MALLOC_ARENA_MAX`
      : '';
  return `, and during the look most in ${name} (${bytesShort(grown)}${arenas})`;
}

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
  return now && now.to - now.from >= leastOfLook && now.largestStep <= largestStep ? now : null;
}
