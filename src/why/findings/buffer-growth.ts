import { dominantOf } from '../evidence/dominant.ts';
import { placeIn } from '../evidence/frames.ts';
import { survivingSites } from '../evidence/survivors.ts';
import { finding, type Rule } from '../finding.ts';
import { grows, growthText, growthWeight, limitOf, secondsTo, seenSince, untilText } from './memory.ts';

/** A Buffer's or ArrayBuffer's object on the heap is allocated by these. */
const makers =
  /^(?:createUnsafeBuffer|FastBuffer|alloc|allocUnsafe|allocUnsafeSlow|allocate|from|concat|ArrayBuffer|Uint8Array|copyBytesFrom|fromStringFast)$/;

/** Buffers are collected late: what is garbage grows, too. */
const leastBytes = 4 * 1024 * 1024;
const leastShare = 0.2;
const steady = 0.8;

export const bufferGrowth: Rule = {
  id: 'buffer-growth',
  passed: 'buffers do not pile up',
  needs: ['memstats'],
  thresholds: `the bytes of ArrayBuffers grow in ≥ ${steady * 100} % of six steps, by ≥ 4 MiB and ${leastShare * 100} %`,
  find(e) {
    const trend = e.trends.arrayBuffersBytes ?? e.trends.externalBytes;
    if (!grows(trend, leastShare) || trend.steady < steady || trend.to - trend.from < leastBytes) return null;
    const sites = (e.case.allocations?.sites ?? []).map(({ bytes, frames, count }) => ({
      weight: bytes,
      frames,
      count,
    }));
    const buffers = sites.filter(({ frames }) =>
      frames.slice(0, 4).some(({ file, function: name }) => /^node:.*buffer$/.test(file) || makers.test(name)),
    );
    const dominant = dominantOf(
      buffers.length > 0 ? buffers : e.case.allocations ? survivingSites(e.case.allocations) : [],
      0.5,
    );
    const left = secondsTo(limitOf(e), trend);
    return finding('buffer-growth', {
      level: dominant ? 'finding' : 'note',
      // of what RSS grows by, where that is known
      weight:
        (growthWeight(left) + 0.03) *
        Math.min(1, Math.max(0.4, trend.perSecond / (e.trends.rssBytes?.perSecond || trend.perSecond))),
      sentence: `buffers pile up outside the heap: ArrayBuffers grow by ${growthText(trend)}${dominant ? `, allocated below ${placeIn(dominant.frames)}` : ''}${untilText(left, 'the container’s memory limit is met')}`,
      place: dominant && placeIn(dominant.frames),
      frames: dominant?.frames ?? [],
      certainty: dominant ? 'certain' : 'likely',
      against:
        dominant && buffers.length === 0 ? ['the place is where most of what stays is allocated, buffers or not'] : [],
      since: seenSince(e, trend, e.case.lookMs),
      next: 'heapsnapshot TARGET',
      remedy:
        'Drop references to buffers once they are sent, stream instead of keeping whole bodies, and copy small slices out of large ones.',
      figures: { bytesPerSecond: Math.round(trend.perSecond), fromBytes: trend.from, toBytes: trend.to },
    });
  },
};
