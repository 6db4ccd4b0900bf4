import { loopRule } from './loop.ts';

export const json = loopRule({
  id: 'json',
  kinds: ['json'],
  passed: 'no large JSON document blocks the loop',
  sentence: ({ call }, place) => `JSON of large documents blocks the event loop: ${call ?? 'JSON'} in ${place}`,
  next: 'pprof-cpu TARGET --duration 10s',
  remedy: 'Send or read less (pages, fields), keep the parsed value, stream it, or do it in a worker thread.',
});
