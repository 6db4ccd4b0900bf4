import { loopRule } from './loop.ts';

export const syncCrypto = loopRule({
  id: 'sync-crypto',
  kinds: ['crypto'],
  passed: 'no synchronous crypto blocks the loop',
  sentence: ({ call }, place) =>
    `synchronous crypto blocks the event loop: ${call ?? 'a call of node:crypto'}, called by ${place}`,
  next: 'pprof-cpu TARGET --duration 10s',
  remedy:
    'Call the asynchronous variant, which runs on libuv’s pool (scrypt, pbkdf2, generateKeyPair, …), or a worker thread.',
});
