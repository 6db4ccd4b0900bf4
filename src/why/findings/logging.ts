import { loopRule } from './loop.ts';

export const logging = loopRule({
  id: 'logging',
  kinds: ['log', 'inspect'],
  passed: 'logging takes little of the loop',
  sentence: ({ call }, place) => `logging takes the event loop’s time: ${call ?? 'console'}, called by ${place}`,
  next: 'pprof-cpu TARGET --duration 10s',
  remedy:
    'Lower the level, log fields instead of whole objects, and write through a logger that serialises off the main thread.',
});
