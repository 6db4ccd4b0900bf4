import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';

it('docs/library.md has a row for every option of listen(), and for nothing else', async () => {
  const types = await readFile('src/agent/public.d.ts', 'utf8');
  const [, listenOptions] = /interface ListenOptions \{(.*?)\n\}/s.exec(types)!;
  const options = [...listenOptions!.matchAll(/^ {2}(\w+)\?: (\w+);$/gm)].map(([, name, type]) => `${name} ${type}`);
  expect(options.length).toBeGreaterThan(8);
  const docs = await readFile('docs/library.md', 'utf8');
  const rows = [...docs.matchAll(/^\| `(\w+)` \| `(\w+)` \|/gm)].map(([, name, type]) => `${name} ${type}`);
  expect(rows.sort()).toEqual(options.sort());
});
