import { duration } from '../../protocol/text/quantities.ts';
import { placeIn, placeOf } from '../evidence/frames.ts';
import { periodOf } from '../evidence/period.ts';
import { finding, type Rule } from '../finding.ts';

export const periodicStall: Rule = {
  id: 'periodic-stall',
  passed: 'no stalls in step',
  needs: ['history'],
  thresholds:
    '≥ 4 stalls of the recorder below the same function, ≥ 80 % of the distances within 10 % of the middle one, ≥ 0.9 s',
  find(e) {
    for (const { caller, kind, frames, share } of e.work) {
      if (!caller || kind !== 'function') continue;
      const period = periodOf(e.case, caller);
      if (!period) continue;
      return finding('periodic-stall', {
        level: e.serves ? 'finding' : 'note',
        weight: 0.45 + 0.4 * Math.min(1, period.worstMs / 1_000) + 0.1 * share,
        sentence: `${placeIn(frames.slice(frames.indexOf(caller)))} stalls the event loop every ${duration(period.periodMs)}, for up to ${duration(period.worstMs)}; ${period.count} times so far`,
        place: placeOf(caller),
        frames: frames.slice(frames.indexOf(caller)),
        certainty: 'certain',
        since: period.since,
        next: 'history TARGET',
        remedy:
          'Do it in pieces that let the loop turn, less often, in a worker thread, or in a process of its own (a CronJob).',
        figures: { periodMs: Math.round(period.periodMs), worstMs: Math.round(period.worstMs), count: period.count },
      });
    }
    return null;
  },
};
