import { loopRule } from './loop.ts';

export const syncZlib = loopRule({
  id: 'sync-zlib',
  kinds: ['zlib'],
  passed: 'no synchronous compression blocks the loop',
  sentence: ({ call }, place) =>
    `synchronous compression blocks the event loop: ${call ?? 'a call of node:zlib'}, called by ${place}`,
  next: 'pprof-cpu TARGET --duration 10s',
  remedy: 'Use the stream or the callback form (createGzip, gzip), a lower level, or let the proxy compress.',
});
