import { describe, expect, it } from 'vitest';
import { parseFlag } from '../../../src/plugin/cli/flags.ts';
import { NodeopsError } from '../../../src/protocol/errors.ts';

const window = { type: 'duration', summary: '', min: 0, max: 60_000 } as const;
const count = { type: 'integer', summary: '', min: 1, max: 10 } as const;

function refusal(work: () => unknown): NodeopsError {
  try {
    work();
  } catch (error) {
    if (error instanceof NodeopsError) return error;
  }
  throw new Error('was not refused');
}

describe('flags', () => {
  it('take durations with units, or bare seconds, as milliseconds', () => {
    const given = ['5', '250ms', '1m', '1.5s', '0s', '0.5ms'];
    expect(given.map((text) => parseFlag('window', window, text))).toEqual([5000, 250, 60_000, 1500, 0, 1]);
  });

  it.each(['', 'soon', '-1s', '61s', '1 s', '1d', '9'.repeat(40)])(
    'refuse %j as a duration, saying what is taken',
    (text) => {
      const { code, message } = refusal(() => parseFlag('window', window, text));
      expect(code).toBe('usage');
      expect(message).toMatch(/^--window is '.*'; it takes a duration from 0 to 1m, such as 500ms, 30s or 2m$/);
    },
  );

  it.each(['0', '11', '1.5', 'x', '1e1', ' 1', ''])('refuse %j as a whole number from 1 to 10', (text) => {
    const { code, message } = refusal(() => parseFlag('count', count, text));
    expect({ code, message }).toEqual({
      code: 'usage',
      message: `--count is '${text}'; it takes a whole number from 1 to 10`,
    });
  });

  it('refuse a choice that is none', () => {
    const output = { type: 'choice', summary: '', choices: ['json', 'yaml'] } as const;
    expect(refusal(() => parseFlag('output', output, 'xml')).message).toContain('one of json, yaml');
  });
});
