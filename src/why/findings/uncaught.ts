import { counted } from '../../protocol/text/quantities.ts';
import { callerOf, placeOf } from '../evidence/frames.ts';
import { finding, type Rule } from '../finding.ts';

export const uncaught: Rule = {
  id: 'uncaught',
  passed: 'no uncaught exception or unhandled rejection during the look',
  needs: ['stats'],
  thresholds: 'one more during the look, or more than 10 since counting began',
  find({ case: { moments, exceptions } }) {
    const known = moments.filter(({ stats }) => stats.errors);
    const [first, last] = [known[0]?.stats.errors, known.at(-1)?.stats.errors];
    if (!first || !last) return null;
    const count = ({ uncaughtExceptions, unhandledRejections }: typeof first) =>
      uncaughtExceptions.count + unhandledRejections.count;
    const [during, all] = [count(last) - count(first), count(last)];
    if (during < 1 && all <= 10) return null;
    const { uncaughtExceptions: thrown, unhandledRejections: rejected } = last;
    const groups = exceptions?.groups.filter(({ origin }) => origin !== 'thrown') ?? [];
    const [most] = groups.toSorted((a, b) => b.count - a.count);
    const caller = most && callerOf(most.frames);
    const what = most
      ? `; most often ${most.name}: ${most.message.slice(0, 100)}${caller ? `, in ${placeOf(caller)}` : ''}`
      : '';
    return finding('uncaught', {
      level: during > 0 ? 'finding' : 'note',
      weight: during > 0 ? 0.45 : 0.15,
      sentence: `errors that nobody handles: ${counted(thrown.count, 'uncaught exception')} and ${counted(rejected.count, 'unhandled rejection')} so far, ${during} during the look${what}`,
      place: caller ? placeOf(caller) : null,
      frames: most?.frames ?? [],
      certainty: 'certain',
      since: last.since,
      next: 'exceptions TARGET',
      remedy: 'Handle them where they arise; a process that lives on after an uncaught exception is in no known state.',
      figures: { during, uncaughtExceptions: thrown.count, unhandledRejections: rejected.count },
    });
  },
};
