import { describe, expect, it } from 'vitest';
import { fuzz } from '../../fuzz/fuzz.ts';
import { targets } from '../../fuzz/targets/index.ts';

describe('whatever comes instead of a good file is read, or refused with one sentence', () => {
  it.each(Object.keys(targets))('%s', (name) => {
    const { inputs, found } = fuzz(targets[name]!, { inputs: 1_500 });
    expect(found && { problem: found.problem, input: Buffer.from(found.input).toString('base64') }).toBeUndefined();
    expect(inputs).toBe(1_500);
  });
});

it('finds what is not a refusal', () => {
  const harmed = {
    seeds: [Buffer.from('abc')],
    run: () => (undefined as unknown as string).length,
    isRefusal: () => false,
  };
  expect(fuzz(harmed, { inputs: 5 }).found?.problem).toContain('TypeError');
});
