import { loopRule } from './loop.ts';

export const exceptions = loopRule({
  id: 'exceptions',
  kinds: ['error'],
  passed: 'no storm of exceptions',
  sentence: (_, place) => `a storm of exceptions: stack traces are made all the time, below ${place}`,
  next: 'pprof-cpu TARGET --duration 10s',
  remedy:
    'Return a value where a miss is usual, throw one error a request at most, and lower Error.stackTraceLimit while that is being done.',
});
