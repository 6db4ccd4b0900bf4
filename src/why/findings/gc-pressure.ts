import { markOf } from '../../protocol/figures.ts';
import { bytesShort, percent } from '../../protocol/text/quantities.ts';
import { finding, type Rule } from '../finding.ts';
import { memoryOf } from './memory.ts';

const fullShare = markOf('heapUsedBytes');
const pauseShare = markOf('gcShare');

export const gcPressure: Rule = {
  id: 'gc-pressure',
  passed: 'garbage collection takes little time',
  needs: ['memstats'],
  thresholds: `≥ ${pauseShare * 100} % of the time in pauses with the heap’s lowest use at ≥ ${fullShare * 100} % of its limit, or ≥ 25 % of the time whatever the use`,
  find(e) {
    const heap = memoryOf(e)?.heap;
    const { gc } = e;
    const profiled = e.case.cpu ? e.case.cpu.gcMs / e.case.cpu.durationMs : 0;
    const share = Math.max(gc?.share ?? 0, profiled);
    if (!heap) return null;
    const used = e.case.moments.map(({ memory }) => memory.heap?.usedBytes ?? Number.POSITIVE_INFINITY);
    const live = Math.min(...used);
    const full = live / heap.limitBytes;
    const near = full >= fullShare && (share >= pauseShare || (gc?.majorsPerSecond ?? 0) >= 0.5);
    if (!near && share < 0.25) return null;
    const majors = gc ? `${gc.majorsPerSecond.toFixed(1)} major collections a second, ` : '';
    const what = near
      ? 'the heap is nearly full and is collected all the time'
      : 'garbage collection takes much of the time';
    return finding('gc-pressure', {
      level: near || share >= 0.3 ? 'finding' : 'note',
      weight: near ? 0.8 + 0.15 * Math.min(1, share * 2) : 0.4 + share / 2,
      sentence: `${what}: ${majors}${percent(share)} of the time in pauses, at least ${bytesShort(live)} in use of a limit of ${bytesShort(heap.limitBytes)}`,
      place: near ? `heap limit ${bytesShort(heap.limitBytes)}` : null,
      certainty: near ? 'certain' : 'likely',
      next: near ? 'heapsnapshot TARGET' : 'pprof-heap TARGET --alloc --duration 20s',
      remedy: near
        ? 'Raise --max-old-space-size (and the container’s memory) if this much is really needed; else find what is kept.'
        : 'Allocate less with each request: reuse, stream, avoid copies.',
      figures: {
        gcShare: share,
        majorsPerSecond: gc?.majorsPerSecond ?? null,
        liveBytes: live,
        limitBytes: heap.limitBytes,
      },
    });
  },
};
