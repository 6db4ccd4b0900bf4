import { counted, duration } from '../../protocol/text/quantities.ts';
import { mostOf } from '../evidence/flights.ts';
import { finding, type Rule } from '../finding.ts';

const least = 15;
const leastGrown = 5;

export const children: Rule = {
  id: 'children',
  passed: 'child processes do not pile up',
  needs: ['process'],
  thresholds: `≥ ${least} children and ≥ ${leastGrown} more than at the begin of the look, or ≥ ${least} that ended and were never waited for`,
  find({ case: { children: looks } }) {
    const [first, last] = [looks[0]?.reply, looks.at(-1)?.reply];
    if (!first || !last) return null;
    const grown = last.length - first.length;
    const dead = last.filter(({ state }) => state === 'Z').length;
    if (dead < least && (last.length < least || grown < leastGrown)) return null;
    const most = mostOf(last, ({ command }) => command)!;
    const oldest = Math.max(...last.map(({ ageSeconds }) => ageSeconds));
    return finding('children', {
      weight: 0.78,
      sentence:
        dead >= least
          ? `${counted(dead, 'child process')} ended and were never waited for (zombies), most of them '${most.name.slice(0, 80)}'`
          : `child processes pile up: ${last.length}, ${grown} more during the look, ${most.count} of them '${most.name.slice(0, 80)}', the oldest ${duration(oldest * 1000)} old`,
      place: most.name.slice(0, 80),
      certainty: 'certain',
      next: 'tree TARGET',
      remedy:
        'End each child when what it is for has ended (timeout, AbortSignal, kill), and bound how many run at a time.',
      figures: { count: last.length, grown, zombies: dead },
    });
  },
};
