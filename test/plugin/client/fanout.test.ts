import { expect, it } from 'vitest';
import { fanOut } from '../../../src/plugin/client/fanout.ts';
import { NodeopsError } from '../../../src/protocol/errors.ts';

it('keeps the order of what was asked, and failures among the answers', async () => {
  const outcomes = await fanOut([30, 0, 10], async (delay) => {
    await new Promise((done) => setTimeout(done, delay));
    if (delay === 0) throw new NodeopsError('no-agent', 'nobody there');
    return delay * 2;
  });
  expect(outcomes.map(({ of, value, error }) => [of, value, error?.code])).toEqual([
    [30, 60, undefined],
    [0, undefined, 'no-agent'],
    [10, 20, undefined],
  ]);
});

it('asks a bounded number at a time, and none waits for a slow one but its own place', async () => {
  let running = 0;
  let most = 0;
  await fanOut(
    Array.from({ length: 20 }, (_, index) => index),
    async () => {
      most = Math.max(most, ++running);
      await new Promise((done) => setImmediate(done));
      running--;
    },
    { concurrency: 4 },
  );
  expect(most).toBe(4);
});
