/** Questions to a heap in one line each, and their answers as text. */
import { NodeopsError } from '../../protocol/errors.ts';
import { bytesShort } from '../../protocol/text/quantities.ts';
import { type Edge, rootNode } from './graph.ts';
import type { Heap } from './heap.ts';
import { className, clean, label } from './labels.ts';
import { type HeapSummary, summarize } from './summary.ts';
import {
  buffersText,
  classesText,
  closuresText,
  detachedText,
  dominatorsText,
  packagesText,
  share,
  stringsText,
  summaryText,
  table,
} from './text.ts';
import { dominatedBy } from './tree.ts';
import { edgeBetween } from './words.ts';

export const heapHelp = `  top [N]              the summary, with N rows of each list
  classes [N] [REGEX]  classes by retained size
  dominators [@ID]     what keeps most; with an id what that object alone keeps
  show @ID             an object: its class, sizes and references
  path @ID             the shortest way from a root to it
  retainers @ID        what refers to it
  strings [N]          texts that are there more than once
  grep REGEX           objects, functions and strings whose name or text matches
  by package           bytes by npm package
  closures, buffers, detached
  help                 this
  quit                 leave (or Ctrl-D)
`;

export const heapQueryNames =
  'top classes dominators show path retainers strings grep by closures buffers detached help quit'.split(' ');

const limitRows = 100_000;

export class HeapQueries {
  readonly #heap: Heap;
  #last: { readonly rows: number; readonly summary: HeapSummary } | undefined;

  constructor(heap: Heap) {
    this.#heap = heap;
  }

  /** The answer to a line; undefined for what is no question. Throws `usage` for wrong arguments. */
  answer(line: string): string | undefined {
    const [word = '', ...rest] = line.trim().split(/\s+/);
    switch (word) {
      case 'top':
      case 'summary':
        return summaryText(this.#summary(rows(rest, line)));
      case 'classes':
        return this.#classes(rest, line);
      case 'dominators':
        return rest[0]?.startsWith('@') ? this.#dominated(this.#node(rest)) : this.#part(dominatorsText, rest, line);
      case 'show':
        return this.#show(this.#node(rest));
      case 'path':
        return this.#path(this.#node(rest));
      case 'retainers':
        return this.#retainers(this.#node(rest));
      case 'strings':
        return this.#part(stringsText, rest, line, 2);
      case 'grep':
        return this.#grep(line.trim().slice(word.length).trim());
      case 'by':
        if (!/^packages?$/.test(rest[0] ?? '')) throw new NodeopsError('usage', `'${line.trim()}': only by package`);
        return this.#part(packagesText, rest.slice(1), line);
      case 'closures':
        return this.#part(closuresText, rest, line);
      case 'buffers':
        return this.#part(buffersText, rest, line, 2) || 'no ArrayBuffers\n';
      case 'detached':
        return this.#part(detachedText, rest, line, 2) || 'nothing is detached\n';
      case 'help':
        return heapHelp;
      default:
        return undefined;
    }
  }

  #summary(count: number): HeapSummary {
    if (this.#last?.rows !== count) this.#last = { rows: count, summary: summarize(this.#heap, { rows: count }) };
    return this.#last.summary;
  }

  #part(text: (summary: HeapSummary) => string, rest: readonly string[], line: string, factor = 1): string {
    return text(this.#summary(rows(rest, line, 20) * factor)).replace(/^\n/, '');
  }

  #classes(rest: readonly string[], line: string): string {
    const counts = rest.filter((part) => /^\d+$/.test(part));
    const [pattern] = rest.filter((part) => !/^\d+$/.test(part));
    const wanted = pattern === undefined ? undefined : expression(pattern);
    const count = rows(counts, line, 30);
    const { graph, classes } = this.#heap;
    const shown = classes.shares.filter(({ name }) => wanted?.test(name) ?? true).slice(0, count);
    if (shown.length === 0) return `no class matches ${pattern}\n`;
    const rowsOf = shown.map(({ largest, ...rest }) => ({ ...rest, largestId: graph.id(largest) }));
    return classesText({ classes: rowsOf, totalBytes: graph.retained[rootNode]! }).replace(/^\n/, '');
  }

  #node(rest: readonly string[]): number {
    const [text] = rest;
    const id = /^@?(\d+)$/.exec(text ?? '')?.[1];
    if (id === undefined)
      throw new NodeopsError('usage', 'name an object by its id, as the lists do', { hint: 'such as: path @1234' });
    const node = this.#heap.graph.nodeOfId(Number(id));
    if (node < 0) throw new NodeopsError('usage', `there is no object @${id}`);
    return node;
  }

  #title(node: number): string {
    const { graph, scripts } = this.#heap;
    const site = scripts.site(node);
    const sizes = `${bytesShort(graph.size(node))} itself, ${bytesShort(graph.retained[node]!)} retained`;
    return `${label(graph, node)} @${graph.id(node)}  ${className(graph, node)}, ${sizes}${site ? `, ${site}` : ''}\n`;
  }

  #show(node: number): string {
    const { graph } = this.#heap;
    const edges = graph.edges(node, limitRows);
    const shown = edges.filter(({ weak }) => !weak).slice(0, 50);
    const more = edges.length - shown.length;
    return `${this.#title(node)}${table(
      shown.map((edge) => [bytesShort(graph.retained[edge.to]!), `@${graph.id(edge.to)}`, this.#reference(edge)]),
    )}${more > 0 ? `  … ${more} more references, weak ones included\n` : ''}`;
  }

  #reference({ type, name, to }: Edge): string {
    const kind = type === 'property' || type === 'element' ? '' : ` (${type})`;
    return `${type === 'element' ? `[${name}]` : clean(String(name), 80)}${kind} → ${label(this.#heap.graph, to)}`;
  }

  #path(node: number): string {
    const { graph, routes } = this.#heap;
    const way = routes.to(node);
    const words = this.#heap.path(node);
    const steps = way.slice(-50).map((at, i, shown) => {
      const from = shown[i - 1];
      const edge = from === undefined ? undefined : edgeBetween(graph, from, at);
      const step =
        edge === undefined ? '' : `${edge.type === 'element' ? `[${edge.name}]` : clean(String(edge.name), 80)} → `;
      return [bytesShort(graph.retained[at]!), `@${graph.id(at)}`, `${step}${label(graph, at)}`];
    });
    return `${words}\n${table(steps)}`;
  }

  #retainers(node: number): string {
    const { graph } = this.#heap;
    const { first, sources } = graph.retainers;
    const found = new Set<number>();
    for (let i = first[node]!; i < first[node + 1]! && found.size < limitRows; i++)
      found.add(sources[i]! & 0x3fff_ffff);
    const shown = [...found].sort((a, b) => graph.retained[b]! - graph.retained[a]!).slice(0, 50);
    const lines = shown.map((from) => {
      const edge = edgeBetween(graph, from, node);
      const name = edge === undefined ? '' : edge.type === 'element' ? `[${edge.name}]` : clean(String(edge.name), 80);
      return [bytesShort(graph.retained[from]!), `@${graph.id(from)}`, `${name} of ${label(graph, from)}`];
    });
    const more = found.size - shown.length;
    return `${this.#title(node)}${table(lines)}${more > 0 ? `  … ${more} more\n` : ''}`;
  }

  #dominated(node: number): string {
    const { graph } = this.#heap;
    const below = dominatedBy(graph, node);
    const lines = below
      .slice(0, 50)
      .map((at) => [
        bytesShort(graph.retained[at]!),
        share(graph.retained[at]!, graph.retained[node]!),
        `@${graph.id(at)}`,
        label(graph, at),
      ]);
    return `${this.#title(node)}${table(lines)}${below.length > 50 ? `  … ${below.length - 50} more\n` : ''}`;
  }

  #grep(text: string): string {
    const wanted = expression(text);
    const { graph } = this.#heap;
    const matching = new Map<number, boolean>();
    const found: number[] = [];
    for (let node = 0; node < graph.nodeCount; node++) {
      const index = graph.nameIndex(node);
      let matches = matching.get(index);
      if (matches === undefined) {
        matches = wanted.test(graph.strings.get(index));
        matching.set(index, matches);
      }
      if (matches) found.push(node);
    }
    if (found.length === 0) return `nothing matches ${text}\n`;
    const shown = found.sort((a, b) => graph.retained[b]! - graph.retained[a]! || a - b).slice(0, 50);
    const lines = shown.map((node) => [
      bytesShort(graph.retained[node]!),
      `@${graph.id(node)}`,
      className(graph, node),
      label(graph, node),
    ]);
    return `${table(lines)}${found.length > shown.length ? `  … ${found.length - shown.length} more\n` : ''}`;
  }
}

function rows(rest: readonly string[], line: string, otherwise = 10): number {
  const [text] = rest;
  if (text === undefined) return otherwise;
  if (!/^\d{1,6}$/.test(text) || rest.length > 1 || text === '0')
    throw new NodeopsError('usage', `'${line.trim()}': '${text}' is not a number of rows`);
  return Number(text);
}

function expression(text: string): RegExp {
  if (text === '')
    throw new NodeopsError('usage', 'grep takes a regular expression', { hint: 'such as: grep Session' });
  try {
    return new RegExp(text);
  } catch (cause) {
    throw new NodeopsError('usage', (cause as Error).message, { cause });
  }
}
