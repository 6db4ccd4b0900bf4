import { loopRule } from './loop.ts';

export const regex = loopRule({
  id: 'regex',
  kinds: ['regex'],
  passed: 'no regular expression takes long',
  sentence: ({ call }, place) =>
    call && !/^\.?\w+$/.test(call)
      ? `the regular expression /${short(call)}/ backtracks on the main thread, called by ${place}`
      : `a regular expression backtracks on the main thread, in ${place}`,
  next: 'stack TARGET',
  remedy:
    'Rewrite the pattern without nested or overlapping repetition, bound the length of what it is given, or use a linear-time engine (re2).',
});

function short(pattern: string): string {
  return pattern.length > 80 ? `${pattern.slice(0, 77)}…` : pattern;
}
