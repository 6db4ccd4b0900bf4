import { markOf } from '../../protocol/figures.ts';
import { bytesShort, percent } from '../../protocol/text/quantities.ts';
import { finding, type Rule } from '../finding.ts';
import { limitOf, memoryOf } from './memory.ts';

const near = markOf('rssBytes');
const noted = 0.8;

export const memoryLimit: Rule = {
  id: 'memory-limit',
  passed: 'the container is not near its memory limit',
  needs: ['memstats'],
  thresholds: `RSS at ≥ ${near * 100} % of the container’s limit; from ${noted * 100} % on a note`,
  find(e) {
    const memory = memoryOf(e);
    const limit = limitOf(e);
    // page cache is given back where it is needed: what cannot be is at least RSS
    const used = memory?.rssBytes ?? null;
    if (limit === null || used === null || used / limit < noted) return null;
    const share = used / limit;
    const heapLimit = memory?.heap?.limitBytes ?? 0;
    const above = heapLimit > limit ? `; V8’s own limit, ${bytesShort(heapLimit)}, is above it` : '';
    const kills = e.case.pod?.lastTermination?.reason === 'OOMKilled' ? '; it was killed for that before' : '';
    return finding('memory-limit', {
      level: share >= near ? 'finding' : 'note',
      weight: share >= near ? 0.6 + Math.min(0.2, share - near) : 0.2,
      sentence: `the process uses ${bytesShort(used)}, ${percent(share)} of the container’s memory limit of ${bytesShort(limit)}: the kernel kills it there${above}${kills}`,
      place: `memory limit ${bytesShort(limit)}`,
      certainty: 'certain',
      next: 'memstats TARGET',
      remedy:
        'Raise the limit, or set --max-old-space-size to some 75 % of it so that V8 collects before the kernel kills.',
      figures: { rssBytes: used, limitBytes: limit },
    });
  },
};
