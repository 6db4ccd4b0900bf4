/** A way through the heap in words: `global.cache (Map) → value → Session`. */
import type { Edge, HeapGraph } from './graph.ts';
import { clean, isBetween, isGlobal, label } from './labels.ts';
import { tablePart } from './tables.ts';

/** Steps shown of a long way, from either end. */
const [shownFirst, shownLast] = [6, 6];
/** Steps read of a way: a list may be a million long. */
const [readFirst, readLast] = [60, 20];
const limitKnown = 200_000;
/** Classes that say nothing. */
const plain = new Set(['Object', 'Array']);

export interface WordOptions {
  /** Names the place of a function. */
  readonly site?: (node: number) => string | undefined;
  /** Words of steps by the node they lead to, kept from one way of a search to the next. */
  readonly known?: Map<number, string>;
}

/** The way of nodes (each led to by the one before) in one line. */
export function wayInWords(graph: HeapGraph, way: readonly number[], options?: WordOptions): string {
  return shorten(wayWords(graph, way, options)).join(' → ');
}

/** The same, step by step. */
export function wayWords(graph: HeapGraph, way: readonly number[], options: WordOptions = {}): string[] {
  if (way.length === 0) return ['(only weak references)'];
  const { site = () => undefined, known } = options;
  const words: string[] = [isGlobal(graph, way[0]!) ? 'global' : nodeWord(graph, way[0]!, true, site)];
  for (let i = 1; i < way.length; i++) {
    if (i === readFirst && way.length > readFirst + readLast) {
      words.push(`… ${way.length - readFirst - readLast} more steps …`);
      i = way.length - readLast;
    }
    const last = i === way.length - 1;
    let word = last ? undefined : known?.get(way[i]!);
    if (word === undefined) {
      word = stepWords(graph, way, i, site).join(' → ');
      if (!last && known && known.size < limitKnown) known.set(way[i]!, word);
    }
    // `global.cache`: a property of what was just named
    if (word.startsWith('.')) words[words.length - 1] += word;
    else if (word !== '') words.push(...(last ? stepWords(graph, way, i, site) : [word]));
  }
  return repeated(words);
}

/** Nothing for V8's own; `step (Class)`, and both apart for the last. A property of the global object begins with a dot. */
function stepWords(
  graph: HeapGraph,
  way: readonly number[],
  i: number,
  site: (node: number) => string | undefined,
): string[] {
  const [from, to] = [way[i - 1]!, way[i]!];
  const last = i === way.length - 1;
  const edge = edgeBetween(graph, from, to);
  const step = edge === undefined ? '' : stepWord(graph, edge, way[i - 2]);
  const node = nodeWord(graph, to, last, site);
  if (i === 1 && edge?.type === 'property' && isGlobal(graph, from)) return [`.${step}${node && ` (${node})`}`];
  if (last && node !== '') return step === '' ? [node] : [step, node];
  if (step === '') return node === '' ? [] : [node];
  return [node === '' ? step : `${step} (${node})`];
}

/** The first edge that keeps `to` alive; by its name, not V8's shortcut. */
export function edgeBetween(graph: HeapGraph, from: number, to: number): Edge | undefined {
  const [first, end] = graph.edgeRange(from);
  let fallback = -1;
  for (let edge = first; edge < end; edge++) {
    if (graph.target(edge) !== to) continue;
    if (graph.keeps(edge)) return graph.edge(from, edge);
    if (graph.isShortcut(edge)) fallback = edge;
  }
  return fallback < 0 ? undefined : graph.edge(from, fallback);
}

function stepWord(graph: HeapGraph, { type, name, from }: Edge, before: number | undefined): string {
  switch (type) {
    case 'property':
      return clean(String(name), 60) || '""';
    case 'context':
      return `variable ${clean(String(name), 60)}`;
    case 'element':
      return graph.type(from) === 'synthetic' ? '' : `[${name}]`;
    case 'internal':
    case 'hidden':
      if (name === 'source') return 'source text';
      return before === undefined ? '' : (tablePart(graph, before, from, name) ?? '');
    default:
      return '';
  }
}

function nodeWord(graph: HeapGraph, node: number, last: boolean, site: (node: number) => string | undefined): string {
  if (graph.type(node) === 'synthetic') return label(graph, node);
  if (isBetween(graph, node)) return last ? label(graph, node) : '';
  const name = label(graph, node);
  if (graph.type(node) === 'closure') {
    const place = site(node);
    return place === undefined ? name : `${name} ${place}`;
  }
  return last || !plain.has(name) ? name : '';
}

/** `next → next → next` as `next ×3`. */
function repeated(words: readonly string[]): string[] {
  const found: string[] = [];
  for (let i = 0; i < words.length; ) {
    let end = i + 1;
    while (end < words.length && words[end] === words[i]) end++;
    found.push(end - i > 1 ? `${words[i]} ×${end - i}` : words[i]!);
    i = end;
  }
  return found;
}

function shorten(words: string[]): string[] {
  const left = words.length - shownFirst - shownLast;
  return left < 2 ? words : [...words.slice(0, shownFirst), `… ${left} more …`, ...words.slice(-shownLast)];
}
