/**
 * Services with a fault, and busy ones without, under load and the built agent: the right finding is the first, and nobody is accused.
 * Each runs on one major, another one each day; `NODEOPS_WHY_MAJORS=20,22,24,26` runs all of them on all of those, `NODEOPS_WHY_ONLY=NAME` one.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { diagnose } from '../../src/why/diagnose.ts';
import { faults, healthy } from './faults.ts';
import { record } from './record.ts';
import type { Major } from './service.ts';
import { majors } from './service.ts';

const day = Math.floor(Date.now() / 86_400_000);
const chosen = process.env.NODEOPS_WHY_MAJORS?.split(',').map((major) => Number(major) as Major);
const only = process.env.NODEOPS_WHY_ONLY?.split(',');

function matrix<T extends { readonly service: string }>(all: readonly T[]): { name: string; of: T; major: Major }[] {
  return all
    .filter(({ service }) => !only || only.includes(service))
    .flatMap((of, index) =>
      (chosen ?? [majors[(index + day) % majors.length]!]).map((major) => ({
        name: `${of.service} on Node ${major}`,
        of,
        major,
      })),
    );
}

const told: string[] = [];
afterEach(({ task }) => {
  if (task.result?.state === 'fail') process.stderr.write(`${told.join('\n')}\n`);
  told.length = 0;
});

describe('the first finding is the right one', () => {
  it.each(matrix(faults))('$name', async ({ of, major }) => {
    const { findings } = diagnose(await record(of, major));
    told.push(...findings.map(({ level, id, weight, sentence }) => `${level} ${id} ${weight.toFixed(2)}: ${sentence}`));
    // a machine that gives the process no CPU is said first, where it takes more than the fault
    const [first] = findings.filter(({ id }) => id !== 'cpu-starved');
    expect(of.right).toContain(first?.id);
    expect(`${first?.sentence} ${first?.place}`).toMatch(of.names);
  });
});

describe('nothing above a note is said of', () => {
  it.each(matrix(healthy))('$name', async ({ of, major }) => {
    const { findings } = diagnose(await record(of, major));
    told.push(...findings.map(({ level, id, weight, sentence }) => `${level} ${id} ${weight.toFixed(2)}: ${sentence}`));
    expect(findings.filter(({ level, id }) => level === 'finding' && id !== 'cpu-starved').map(({ id }) => id)).toEqual(
      [],
    );
  });
});
