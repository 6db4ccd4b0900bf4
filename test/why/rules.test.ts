/** Every rule over recorded cases: real replies of real processes, made by record.ts. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Case } from '../../src/why/case.ts';
import { diagnose } from '../../src/why/diagnose.ts';
import { rules } from '../../src/why/findings/index.ts';
import { faults, healthy } from './faults.ts';

const folder = 'test/fixtures/why';
const read = (name: string) =>
  ({ ended: false, requests: [], ...JSON.parse(gunzipSync(readFileSync(join(folder, name))).toString()) }) as Case;
const recorded = readdirSync(folder).filter((name) => name.endsWith('.json.gz'));
const serviceOf = (name: string) => name.split('.')[0];

describe('of recorded cases', () => {
  const faulty = recorded.flatMap((name) =>
    faults.filter(({ service }) => service === serviceOf(name)).map((fault) => ({ name, fault })),
  );

  it('there are enough', () => expect(faulty.length).toBeGreaterThanOrEqual(20));

  it.each(faulty)('$name: the right finding is the first', ({ name, fault }) => {
    const [first] = diagnose(read(name)).findings;
    expect(fault.right).toContain(first?.id);
    expect(first?.level).toBe('finding');
    expect(`${first?.sentence} ${first?.place}`).toMatch(fault.names);
  });

  const well = recorded.filter((name) => healthy.some(({ service }) => service === serviceOf(name)));

  it.each(well)('%s: nothing above a note', (name) => {
    expect(diagnose(read(name)).findings.filter(({ level }) => level === 'finding')).toEqual([]);
  });

  it.each(recorded)('%s: what is told is whole', (name) => {
    const { findings, passed, skipped } = diagnose(read(name));
    for (const { sentence, next, remedy, weight } of findings) {
      expect(sentence).not.toMatch(/undefined|NaN|null|\.\d{4,}/);
      expect(sentence.endsWith('.')).toBe(false);
      expect(next).toContain('TARGET');
      expect(remedy.length).toBeGreaterThan(10);
      expect(weight).toBeGreaterThan(0);
    }
    expect(new Set(findings.map(({ id }) => id)).size + passed.length + skipped.length).toBe(rules.length);
  });
});

it('rules have ids of their own, and say what they are found from', () => {
  expect(new Set(rules.map(({ id }) => id)).size).toBe(rules.length);
  for (const { thresholds, passed } of rules) expect(Math.min(thresholds.length, passed.length)).toBeGreaterThan(10);
});
