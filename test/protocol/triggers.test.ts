import { describe, expect, it } from 'vitest';
import { isTriggersText, parseRule, parseRules } from '../../src/protocol/triggers.ts';

describe('trigger rules', () => {
  it('are read as they are written', () => {
    expect(
      parseRule('when heapUsed > 80% of limit for 30s capture pprof-heap 20s, at most 2 an hour, cool-down 10m'),
    ).toMatchObject({
      figure: 'heapUsed',
      below: false,
      value: 0.8,
      ofLimit: true,
      forMs: 30_000,
      capture: 'pprof-heap',
      captureMs: 20_000,
      anHour: 2,
      coolDownMs: 600_000,
    });
    expect(parseRule('when rss > 512MB capture report')).toMatchObject({ value: 512 * 1024 ** 2, forMs: 0, anHour: 4 });
    expect(parseRule('when cpu > 90% for 1m capture pprof-cpu')).toMatchObject({ value: 90, forMs: 60_000 });
    expect(parseRule('when cpu > 350% capture pprof-cpu')).toMatchObject({ value: 350 });
    expect(parseRule('when utilization < 100% capture stack')).toMatchObject({ below: true });
    expect(parseRules('when cpu > 1% capture stack; when gc > 5% capture stack # why', 'x').rules).toHaveLength(2);
  });

  it.each([
    ['when heapUsed > 80% capture pprof-heap', /512MB, or 80% of limit/],
    ['when cpu > 80% of limit capture stack', /cpu has no limit/],
    ['when load > 3 capture stack', /not a figure; there are cpu/],
    ['when cpu > 90% capture heapsnapshot', /cannot be captured by a trigger/],
    ['when cpu > 90% for ever capture stack', /not a duration/],
    ['cpu > 90%', /a rule is 'when FIGURE/],
    ['when utilization > 100% capture stack', /never hold: utilization is never above 100%/],
    ['when rss > 100% of limit capture report', /never hold: rss is never above its limit/],
    ['when threads < 0 capture stack', /never hold: threads is never below 0/],
    ['when cpu > 90% capture stack, at most 0 an hour', /at most 0 an hour is never/],
  ])('%s is refused with what it should be', (text, message) => {
    expect(() => parseRule(text)).toThrow(message);
  });

  it('that are wrong are told with their line, the first eight of them', () => {
    expect(parseRules('# rules\n\nwhen cpu > 90% capture stack; when cpu > 9 capture stack', 'rules')).toMatchObject({
      rules: [{ text: 'when cpu > 90% capture stack' }],
      errors: [expect.stringMatching(/^rules, line 3: 'when cpu > 9 capture stack': cpu is compared with .* 90%$/)],
    });
    const { rules, errors } = parseRules('nonsense\n'.repeat(30_000), 'rules');
    expect(rules).toEqual([]);
    expect(errors).toHaveLength(9);
    expect(errors.at(-1)).toBe('rules: and 29992 more');
  });

  it('are at most 32', () => {
    const { rules, errors } = parseRules('when cpu > 90% capture stack\n'.repeat(33), 'rules');
    expect(rules).toHaveLength(32);
    expect(errors).toEqual([expect.stringContaining('more than 32 rules')]);
  });

  it.each([
    ['', true],
    ['when cpu > 90% capture stack', true],
    ['😀'.repeat(4_096), true],
    ['x'.repeat(4_097), false],
    ['$(PASSWORD)', false],
  ])('%.40s may stand in a variable: %s', (text, may) => {
    expect(isTriggersText(text)).toBe(may);
  });
});
