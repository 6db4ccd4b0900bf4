/** How nodes are called. */
import type { HeapGraph } from './graph.ts';

const groups: Readonly<Record<string, string>> = {
  closure: '(closure)',
  string: '(string)',
  'concatenated string': '(string)',
  'sliced string': '(string)',
  array: '(array)',
  code: '(code)',
  'object shape': '(shape)',
  hidden: '(system)',
  synthetic: '(roots)',
  number: '(number)',
  bigint: '(bigint)',
  symbol: '(symbol)',
  regexp: '(regexp)',
};

/** The class of an object; for what is no object, its kind in parentheses. */
export function className(graph: HeapGraph, node: number): string {
  const type = graph.type(node);
  if (type !== 'object' && type !== 'native') return groups[type] ?? `(${type})`;
  const name = graph.name(node);
  return clean(type === 'object' && name === 'system / Context' ? '(context)' : name, 80) || '(no name)';
}

/** A node in a few characters: `Session`, `handler()`, `"text"`. */
export function label(graph: HeapGraph, node: number): string {
  const type = graph.type(node);
  switch (type) {
    case 'closure':
      return `${clean(graph.name(node), 60) || '(anonymous)'}()`;
    case 'string':
    case 'concatenated string':
    case 'sliced string':
      return `"${clean(graph.name(node), 40)}"`;
    case 'synthetic':
      return clean(graph.name(node), 60) || '(root)';
    case 'code':
    case 'hidden':
    case 'array':
      return clean(graph.name(node), 60) || `(${type})`;
    default:
      return className(graph, node);
  }
}

/** On one line, without what a terminal would obey. */
export function clean(text: string, limit: number): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ');
  return line.length > limit ? `${line.slice(0, limit - 1)}…` : line;
}

/** What V8 keeps between two objects that a program knows: tables, elements, contexts, shapes. */
export function isBetween(graph: HeapGraph, node: number): boolean {
  const type = graph.type(node);
  if (type === 'object') return graph.name(node) === 'system / Context';
  return type === 'array' || type === 'hidden' || type === 'code' || type === 'object shape' || type === 'synthetic';
}

/** The global object of a realm: what it keeps is the whole program. */
export function isGlobal(graph: HeapGraph, node: number): boolean {
  return graph.type(node) === 'object' && /^(?:global(?: \/| \(|$)|Object \/|Window)/.test(graph.name(node));
}
