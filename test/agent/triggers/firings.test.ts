import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Kept } from '../../../src/agent/crash/kept.ts';
import { lastFirings, mayFire, noteFiring } from '../../../src/agent/triggers/firings.ts';
import { parseRule } from '../../../src/protocol/triggers.ts';

const minute = 60_000;
const hour = 60 * minute;
const rule = parseRule('when cpu > 90% capture stack, at most 2 an hour, cool-down 10m');
const noon = Date.parse('2026-06-01T12:00:00Z');

let base = '';
let kept: Kept;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'nodeops-firings-'));
  kept = open();
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

/** As each process of a container does; later ones find what earlier ones wrote. */
const open = () => new Kept({ base, limitBytes: 1024 * 1024 });
const file = () => join(kept.directory, 'triggers', '.fired.json');

it('a rule waits for its cool-down, in whatever process it fired', () => {
  expect(mayFire(kept, rule, noon)).toBe(true);
  noteFiring(kept, rule, noon);
  for (const store of [kept, open()]) {
    expect(mayFire(store, rule, noon + 10 * minute - 1)).toBe(false);
    expect(mayFire(store, rule, noon + 10 * minute)).toBe(true);
  }
  expect(lastFirings(open(), noon + minute)).toEqual(new Map([[rule.text, noon]]));
});

it('of two processes in which a rule holds at the same moment one fires', () => {
  const other = open();
  // each has looked before the other has noted
  expect([kept, other].map((store) => mayFire(store, rule, noon))).toEqual([true, true]);
  expect([kept, other].map((store) => noteFiring(store, rule, noon))).toEqual([true, false]);
});

it('a rule fires so often an hour and not more, others are not counted', () => {
  const other = parseRule('when rss > 1GB capture stack');
  noteFiring(kept, rule, noon);
  noteFiring(kept, other, noon + minute);
  noteFiring(kept, rule, noon + 30 * minute);
  expect(mayFire(kept, rule, noon + 59 * minute)).toBe(false);
  expect(mayFire(kept, other, noon + 59 * minute)).toBe(true);
  expect(mayFire(kept, rule, noon + hour)).toBe(true);
});

it('a cool-down longer than an hour holds', () => {
  const daily = parseRule('when cpu > 90% capture stack, cool-down 24h');
  noteFiring(kept, daily, noon);
  noteFiring(kept, rule, noon + 2 * hour);
  expect(mayFire(kept, daily, noon + 23 * hour)).toBe(false);
  expect(mayFire(kept, daily, noon + 24 * hour)).toBe(true);
});

it('a clock that was ahead and is set back silences no rule', () => {
  noteFiring(kept, rule, noon + 365 * 24 * hour);
  expect(mayFire(kept, rule, noon)).toBe(true);
  expect(lastFirings(kept, noon)).toEqual(new Map());
  noteFiring(kept, rule, noon);
  expect(mayFire(kept, rule, noon + minute)).toBe(false);
  expect(JSON.parse(readFileSync(file(), 'utf8'))).toEqual({ [rule.text]: [noon] });
});

it.each([
  ['cut off', '{"when cp'],
  ['something else', '[1, 2]'],
  ['of other types', JSON.stringify({ [rule.text]: 'noon', b: [null, '1'] })],
  ['too large', `{"x": ["${'y'.repeat(70_000)}"]}`],
])('a list of firings that is %s counts as empty and is written anew', (_, text) => {
  writeFileSync(file(), text);
  expect(mayFire(kept, rule, noon)).toBe(true);
  noteFiring(kept, rule, noon);
  expect(mayFire(kept, rule, noon + minute)).toBe(false);
});

it('the list keeps the newest 64 rules, is no artifact, and leaves no half-written file', () => {
  for (let index = 0; index < 70; index++)
    noteFiring(kept, parseRule(`when threads > ${index} capture stack`), noon + index);
  const fired = lastFirings(kept, noon + hour);
  expect(fired.size).toBe(64);
  expect(fired.has('when threads > 5 capture stack')).toBe(false);
  expect(fired.get('when threads > 69 capture stack')).toBe(noon + 69);
  expect(kept.list()).toEqual([]);
  expect(readdirSync(join(kept.directory, 'triggers'))).toEqual(['.fired.json']);
});

it('the list never grows past what is read again: the rule goes whose last firing is the oldest', () => {
  const often = [1, 2, 3, 4, 5].map((n) =>
    parseRule(`when threads > ${n} capture stack, at most 999 an hour, cool-down 0s`),
  );
  const firings = Object.fromEntries(often.map(({ text }, index) => [text, Array(950).fill(noon + index)]));
  while (JSON.stringify(firings).length > 64 * 1024) firings[often[4]!.text]!.pop();
  writeFileSync(file(), JSON.stringify(firings));
  noteFiring(kept, often[4]!, noon + minute);
  expect(readFileSync(file()).length).toBeLessThanOrEqual(64 * 1024);
  expect([...lastFirings(kept, noon + hour).keys()].sort()).toEqual(often.slice(1).map(({ text }) => text));
});

it('a firing that cannot be noted is an error', () => {
  rmSync(join(kept.directory, 'triggers'), { recursive: true });
  expect(() => noteFiring(kept, rule, noon)).toThrow(/ENOENT/);
});
