import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { withCommandTable } from '../../scripts/readme.ts';

const readme = await readFile('README.md', 'utf8');

describe('README', () => {
  it('shows a command and its output within twenty lines', () => {
    expect(readme.split('\n').slice(0, 20).join('\n')).toMatch(/\$ kubectl nodeops .+\n.+/);
  });

  it('has the command table as the commands declare themselves (npm run docs)', () => {
    expect(readme).toBe(withCommandTable(readme));
  });

  it('names the test command that CI runs', async () => {
    const run = (await readFile('.ci/run', 'utf8')).trimEnd().split('\n').at(-1)!;
    expect(readme).toContain(run);
  });

  it('links to files that are there', async () => {
    for (const [, target] of readme.matchAll(/\]\((?!https?:)([^)#]+)/g))
      await stat(join(dirname('README.md'), target!));
  });
});
