import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { architectureText } from '../../scripts/architecture.ts';
import { type Edge, Graph, sourceFiles } from '../bed/graph.ts';
import { circles } from './circles.ts';
import { carried, inside, type Room, roomOf, stages } from './rules.ts';

const graph = new Graph();
const files = sourceFiles().filter((file) => /^(?:src|cmd)\//.test(file));
/** Types count: what needs another's types cannot be read without it. */
const imports = (file: string): Edge[] => graph.edges(file).filter(({ kind }) => kind === 'import' || kind === 'type');
/** The folder under `src` (or `cmd`) that a file belongs to. */
const stageOf = (file: string) => (file.startsWith('src/') ? file.split('/')[1]! : file.split('/')[0]!);

describe('imports', () => {
  it('go one way between the folders of src', () => {
    expect(files.length).toBeGreaterThan(20);
    const wrong = files.flatMap((file) => {
      const from = stageOf(file);
      const permitted = [from, ...(stages[from]?.imports ?? [])];
      const texts = graph.edges(file).filter(({ kind }) => kind === 'text');
      return [
        ...imports(file).filter(({ to }) => !permitted.includes(stageOf(to))),
        ...texts.filter(({ to }) => !carried[from]?.includes(stageOf(to))),
      ].map(({ to }) => `${file} imports ${to}`);
    });
    expect(wrong).toEqual([]);
  });

  it.each(Object.keys(inside))('go one way between the folders of src/%s', (stage) => {
    const own = files.filter((file) => file.startsWith(`src/${stage}/`));
    expect(own.filter((file) => roomOf(stage, file) === undefined)).toEqual([]);
    const wrong = own.flatMap((file) => {
      const from = roomOf(stage, file)!;
      const permitted = [from, ...(inside[stage]![from]?.imports ?? [])];
      return imports(file)
        .filter(({ to }) => stageOf(to) === stage && !permitted.includes(roomOf(stage, to)!))
        .map(({ to }) => `${file} imports ${to}`);
    });
    expect(wrong).toEqual([]);
  });

  it.each([['src', stages] as const, ...Object.entries(inside)])('the table of %s has no circle', (_, rooms) => {
    const next = (name: string) => (rooms as Record<string, Room>)[name]?.imports ?? [];
    expect(circles(Object.keys(rooms), next)).toEqual([]);
  });

  it('no files import each other in a circle', () => {
    expect(circles(files, (file) => imports(file).map(({ to }) => to))).toEqual([]);
  });

  /** Files that lie beside folders belong to all of these. */
  const leaves = [...new Set(files.map(dirname))].filter(
    (folder) => ![...new Set(files.map(dirname))].some((other) => other.startsWith(`${folder}/`)),
  );
  // the folders of src/agent are being laid out anew, and get a table of their own with that
  const laidOut = leaves.filter((folder) => !folder.startsWith('src/agent/'));
  it('no folders import each other in a circle', () => {
    const between = new Map(laidOut.map((folder) => [folder, new Set<string>()]));
    for (const file of files)
      for (const { to } of imports(file)) {
        const [from, into] = [dirname(file), dirname(to)];
        if (from !== into && between.has(into)) between.get(from)?.add(into);
      }
    expect(circles(laidOut, (folder) => [...(between.get(folder) ?? [])])).toEqual([]);
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

it('docs/architecture.md is drawn from the table', async () => {
  const text = await readFile('docs/architecture.md', 'utf8');
  expect(text, 'npm run docs').toBe(architectureText(text));
});
