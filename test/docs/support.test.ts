import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

it('docs/support.md names tests that there are', () => {
  const page = readFileSync('docs/support.md', 'utf8');
  const named = new Set(
    [...page.matchAll(/`((?:agent|sidecar|why|release|e2e|cluster|helm|inject)\/[\w/-]+)`/g)].map(([, name]) => name!),
  );
  expect(named.size).toBeGreaterThan(10);
  expect([...named].filter((name) => !existsSync(`test/${name}.test.ts`))).toEqual([]);
});
