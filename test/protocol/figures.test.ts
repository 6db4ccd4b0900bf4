import { expect, it } from 'vitest';
import { type FigureName, figureOf, figures, figuresByRule, seriesNames } from '../../src/protocol/figures.ts';
import { parseRule } from '../../src/protocol/triggers.ts';

const all = (Object.keys(figures) as FigureName[]).map((name) => ({ name, ...figureOf(name) }));
const example = { percent: '90%', share: '90%', bytes: '512MB', ms: '500ms', count: '64' };

it('no two figures share a name in rules, a heading or a key of top', () => {
  for (const part of ['title', 'rule'] as const) expect(new Set(all.map((one) => one[part])).size).toBe(all.length);
  const columns = all.flatMap(({ top }) => top ?? []);
  for (const part of ['heading', 'key'] as const)
    expect(new Set(columns.map((one) => one[part])).size).toBe(columns.length);
});

it.each(all)('a rule on $rule is written in its unit', ({ name, rule, unit, limit, bounded }) => {
  expect(figuresByRule[rule as keyof typeof figuresByRule]).toBe(name);
  expect(parseRule(`when ${rule} > ${example[unit]} capture stack`).figure).toBe(rule);
  const ofLimit = () => parseRule(`when ${rule} > 80% of limit capture stack`);
  if (limit) expect(ofLimit().value).toBe(0.8);
  else expect(ofLimit).toThrow(`${rule} has no limit`);
  const never = () => parseRule(`when ${rule} > 100%${limit ? ' of limit' : ''} capture stack`);
  if (bounded) expect(never).toThrow('never above');
  else if (unit === 'percent' || limit) expect(never).not.toThrow();
});

it('samples hold every figure but those of the last minute', () => {
  expect(all.map(({ name }) => name).filter((name) => !(seriesNames as readonly string[]).includes(name))).toEqual([
    'delayP99Ms',
  ]);
});
