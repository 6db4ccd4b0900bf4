import { dominantOf } from '../evidence/dominant.ts';
import { packageOf, placeIn } from '../evidence/frames.ts';
import { periodOf } from '../evidence/period.ts';
import type { Rule } from '../finding.ts';
import { costOf, loopFinding, loopThresholds } from './loop.ts';

const namedShare = 0.4;

/** JavaScript of the app itself, or of its packages. */
export const hotFunction: Rule = {
  id: 'hot-function',
  passed: 'no function takes the event loop for itself',
  needs: ['stack'],
  thresholds: `${loopThresholds}; the innermost function with ≥ 60 % of that time is named`,
  find(e) {
    const works = e.work.filter(({ kind, caller }) => kind === 'function' && caller !== null);
    const dominant = dominantOf(works.map(({ share, worstMs, frames }) => ({ weight: share + worstMs / 1e6, frames })));
    const caller = dominant?.frame ?? works[0]?.caller;
    const own = dominant
      ? works.filter(({ frames }) => frames.some((frame) => sameFunction(frame, dominant.frame)))
      : works.slice(0, 1);
    const cost = costOf(e, own);
    if (!caller || !cost || periodOf(e.case, caller)) return null;
    // what it spends in calls with a finding of their own is told there
    const named = e.work.filter(
      ({ kind, frames }) => kind !== 'function' && frames.some((frame) => sameFunction(frame, caller)),
    );
    if (named.reduce((sum, { share }) => sum + share, 0) >= cost.share * namedShare) return null;
    const innermost = own[0]!.frames.find((frame) => packageOf(frame) !== null);
    const through = innermost && packageOf(caller) === null ? ` (in the package ${packageOf(innermost)})` : '';
    const frames = dominant?.frames ?? own[0]!.frames;
    const place = placeIn(frames.slice(Math.max(0, frames.indexOf(caller))));
    const sentence = cost.blocks
      ? `${place} blocks the event loop${through}`
      : `the event loop has no time left: ${place}${through}`;
    return loopFinding(e, { caller, frames, call: null }, cost, {
      id: 'hot-function',
      sentence,
      next: 'pprof-cpu TARGET --duration 10s',
      remedy:
        'Make it cheaper (an index, a cache, smaller input), cut it into pieces that let the loop turn, or move it to a worker thread.',
    });
  },
};

function sameFunction(a: { function: string; file: string }, b: { function: string; file: string }): boolean {
  return a.function === b.function && a.file === b.file;
}
