import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { errorCodes } from '../../src/protocol/errors.ts';

it('docs/errors.md lists every code with its exit code', async () => {
  const text = await readFile('docs/errors.md', 'utf8');
  const documented: Record<string, number> = {};
  for (const [, codes, exit] of text.matchAll(/^\| (`.+?) +\| (\d+) +\|/gm))
    for (const [, code] of codes!.matchAll(/`([a-z-]+)`/g)) documented[code!] = Number(exit);
  expect(documented).toEqual(Object.fromEntries(Object.entries(errorCodes).map(([code, { exit }]) => [code, exit])));
});
