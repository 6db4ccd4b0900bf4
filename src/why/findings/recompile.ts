import { loopRule } from './loop.ts';

export const recompile = loopRule({
  id: 'recompile',
  kinds: ['compile', 'intl', 'module'],
  passed: 'nothing is compiled or set up again and again',
  sentence: ({ call }, place) =>
    `the same thing is compiled or set up with each call: ${call ?? 'a constructor'} in ${place}`,
  next: 'pprof-cpu TARGET --duration 10s',
  remedy:
    'Make it once and keep it: the compiled schema or template, the RegExp, the Intl formatter, the required module.',
});
