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

/** What the tables do not permit: each import of `file`, with its reason left to the reader of the table. */
function forbidden(file: string, edges: readonly Edge[]): string[] {
  const stage = stageOf(file);
  const room = roomOf(stage, file);
  const rooms = room === undefined ? undefined : [room, ...inside[stage]![room]!.imports];
  return edges
    .filter(({ to, kind }) => {
      if (kind === 'text') return !carried[stage]?.includes(stageOf(to));
      if (stageOf(to) !== stage) return !stages[stage]?.imports.includes(stageOf(to));
      return rooms !== undefined && !rooms.includes(roomOf(stage, to)!);
    })
    .map(({ to }) => `${file} imports ${to}`);
}

describe('imports', () => {
  it('go one way between the folders of src', () => {
    expect(files.length).toBeGreaterThan(20);
    const named = (file: string) => graph.edges(file).filter(({ kind }) => kind !== 'path');
    expect(files.flatMap((file) => forbidden(file, named(file)))).toEqual([]);
  });

  it.each(Object.keys(inside))('every file of src/%s is in a folder of the table', (stage) => {
    const own = files.filter((file) => file.startsWith(`src/${stage}/`));
    expect(own.filter((file) => roomOf(stage, file) === undefined)).toEqual([]);
  });

  it.each([
    ['src/agent/entry/index.ts', 'src/plugin/main.ts', 'import'],
    ['src/agent/recorder/watch.ts', 'src/agent/triggers/triggers.ts', 'import'],
    ['src/agent/membership/peers.ts', 'src/agent/http/server.ts', 'type'],
    ['src/inspect/evaluate.ts', 'src/inspect/readings/stack.ts', 'import'],
    ['src/plugin/render/table.ts', 'src/plugin/commands/registry.ts', 'import'],
    ['src/protocol/wire.ts', 'src/agent/pod.ts', 'type'],
    ['src/agent/entry/index.ts', 'src/sidecar/main.ts', 'text'],
  ] as const)('of %s: %s would be told (%s)', (file, to, kind) => {
    expect(forbidden(file, [{ to, kind }])).toEqual([`${file} imports ${to}`]);
  });

  it('a circle would be told', () => {
    const next: Readonly<Record<string, string[]>> = { a: ['b'], b: ['c'], c: ['b'], d: [] };
    expect(circles(Object.keys(next), (name) => next[name]!)).toEqual([['b', 'c']]);
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
  it('no folders import each other in a circle', () => {
    const between = new Map(leaves.map((folder) => [folder, new Set<string>()]));
    for (const file of files)
      for (const { to } of imports(file)) {
        const [from, into] = [dirname(file), dirname(to)];
        if (from !== into && between.has(into)) between.get(from)?.add(into);
      }
    expect(circles(leaves, (folder) => [...(between.get(folder) ?? [])])).toEqual([]);
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
