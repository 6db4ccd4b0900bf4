import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { withFindings } from '../../scripts/readme.ts';

it('docs/why.md lists every finding as it is declared (npm run docs)', async () => {
  const page = await readFile('docs/why.md', 'utf8');
  expect(page).toBe(withFindings(page));
});
