import { loopRule } from './loop.ts';

export const clone = loopRule({
  id: 'clone',
  kinds: ['clone'],
  passed: 'no large structured clone blocks the loop',
  sentence: ({ call }, place) =>
    `copies of large values block the event loop: ${call ?? 'structuredClone'} in ${place}`,
  next: 'pprof-cpu TARGET --duration 10s',
  remedy: 'Copy what is changed only, transfer ArrayBuffers to workers instead of cloning them, send less.',
});
