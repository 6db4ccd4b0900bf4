import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Which folder may import which, as docs/architecture.md draws it. */
const allowed: Record<string, readonly string[]> = {
  cmd: ['plugin'],
  plugin: ['formats', 'proc', 'protocol', 'secrets', 'why'],
  agent: ['inspect', 'proc', 'protocol', 'secrets'],
  sidecar: ['agent', 'inspect', 'proc', 'protocol'],
  inject: ['protocol'],
  inspect: ['proc', 'protocol', 'secrets'],
  formats: ['protocol'],
  proc: ['protocol'],
  why: ['formats', 'protocol'],
  protocol: [],
  secrets: [],
};

/** Whose code travels as text inside whose (`bundle:PATH`): nothing of it runs there. */
const carried: Record<string, readonly string[]> = { agent: ['agent'], plugin: ['sidecar'] };

/** The folder under `src` (or `cmd`) that a path of the repository belongs to. */
function stage(path: string): string {
  const [top, folder] = relative('.', path).split('/');
  return top === 'src' ? folder! : top!;
}

async function sources(): Promise<string[]> {
  const found = await Promise.all(
    ['src', 'cmd'].map(async (top) => (await readdir(top, { recursive: true })).map((name) => join(top, name))),
  );
  return found.flat().filter((name) => name.endsWith('.ts'));
}

describe('imports', () => {
  it('go one way', async () => {
    const files = await sources();
    expect(files.length).toBeGreaterThan(20);
    const wrong: string[] = [];
    for (const file of files) {
      const from = stage(file);
      const source = await readFile(file, 'utf8');
      for (const [, specifier] of source.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)) {
        const text = specifier!.startsWith('bundle:');
        if (!text && !specifier!.startsWith('.')) continue;
        const to = stage(text ? specifier!.slice('bundle:'.length) : resolve(dirname(file), specifier!));
        const permitted = text ? carried[from] : [from, ...(allowed[from] ?? [])];
        if (!permitted?.includes(to)) wrong.push(`${file} imports ${specifier}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('of the built agent are node: modules only', async () => {
    for (const name of ['preload.cjs', 'index.cjs', 'index.mjs']) {
      const text = await readFile(join('dist/agent', name), 'utf8');
      const required = [...text.matchAll(/(?:\brequire\(|\bfrom\s*|\bimport\()["'`]([^"'`]+)["'`]/g)].map(
        ([, specifier]) => specifier!,
      );
      expect(required.length).toBeGreaterThan(0);
      expect(required.filter((specifier) => !specifier.startsWith('node:'))).toEqual([]);
    }
  });
});
