import { loopRule } from './loop.ts';

export const syncFs = loopRule({
  id: 'sync-fs',
  kinds: ['fs'],
  passed: 'no synchronous file access blocks the loop',
  sentence: ({ call }, place) =>
    `synchronous file access blocks the event loop: ${call ?? 'a call of node:fs'}, called by ${place}`,
  next: 'stack TARGET',
  remedy: 'Use fs.promises, or read once at start and keep the result; a slow volume makes each call a stall.',
});
