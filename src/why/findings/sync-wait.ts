import { loopRule } from './loop.ts';

export const syncWait = loopRule({
  id: 'sync-wait',
  kinds: ['wait', 'dns'],
  passed: 'the main thread does not wait for another one',
  sentence: ({ call }, place) => `the main thread waits and serves nobody: ${call ?? 'Atomics.wait'} in ${place}`,
  next: 'stack TARGET',
  remedy: 'Use Atomics.waitAsync or a message, so that the loop goes on turning.',
});
