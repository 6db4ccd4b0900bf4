/** Which files of this repository name which others, read from their text: for rules about imports, and for what a change reaches. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

export interface Edge {
  /** Path from the repository's root. */
  readonly to: string;
  /** `text`: carried as a bundle's text, nothing of it runs there. `path`: named as a string, as what a bundle or a child process begins with. */
  readonly kind: 'import' | 'type' | 'text' | 'path';
}

const tops = ['src', 'cmd', 'test', 'scripts', 'bench'];
const imported = /\b(import|export)(\s+type)?\b[^'"`;]*?\bfrom\s*'([^']+)'|\bimport\s*\(?\s*'([^']+)'/g;
const pathName = /['"`]((?:src|cmd|test|scripts)\/[\w./-]+\.ts)['"`]|new URL\(\s*['"`](\.[\w./-]+\.ts)['"`]/g;
/** What tests of built files name, and what it is built from. */
const built = /['"`](?:\.\/)?dist\//;
const builtFrom = [
  'scripts/build.ts',
  'cmd/kubectl-nodeops/main.ts',
  'src/agent/entry/preload.ts',
  'src/agent/entry/index.ts',
];

/** Every TypeScript file, by path from the repository's root. */
export function sourceFiles(): string[] {
  return tops
    .flatMap((top) => readdirSync(top, { recursive: true, encoding: 'utf8' }).map((name) => join(top, name)))
    .filter((name) => name.endsWith('.ts'))
    .sort();
}

/** What a file names. */
export function edgesOf(file: string): Edge[] {
  const source = readFileSync(file, 'utf8');
  const edges: Edge[] = [];
  for (const [, , type, from, dynamic] of source.matchAll(imported)) {
    const specifier = (from ?? dynamic)!;
    if (specifier.startsWith('bundle:')) edges.push({ to: specifier.slice('bundle:'.length), kind: 'text' });
    else if (specifier.startsWith('.'))
      edges.push({ to: relative('.', resolve(dirname(file), specifier)), kind: type ? 'type' : 'import' });
  }
  for (const [, fromRoot, beside] of source.matchAll(pathName))
    edges.push({ to: fromRoot ?? relative('.', resolve(dirname(file), beside!)), kind: 'path' });
  if (/^(test|bench)\//.test(file) && built.test(source))
    edges.push(...builtFrom.map((to) => ({ to, kind: 'path' as const })));
  // programs that tests write name files, too
  return edges.filter(({ to }) => existsSync(to));
}

/** Remembers what it has read. */
export class Graph {
  readonly #edges = new Map<string, Edge[]>();

  edges(file: string): readonly Edge[] {
    const known = this.#edges.get(file);
    if (known) return known;
    const edges = existsSync(file) ? edgesOf(file) : [];
    this.#edges.set(file, edges);
    return edges;
  }

  /** The file, and all that it names directly or not; what `follows` turns away is left out, with all behind it. */
  reached(from: string, follows: (edge: Edge) => boolean = () => true): Set<string> {
    const seen = new Set([from]);
    for (const file of seen) for (const edge of this.edges(file)) if (follows(edge)) seen.add(edge.to);
    return seen;
  }
}
