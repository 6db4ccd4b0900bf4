/** What stands out in a heap: texts that are there many times, functions, buffers, what is detached. */
import type { HeapGraph } from './graph.ts';
import { isNativeContext } from './routes.ts';

export interface DuplicateString {
  /** As V8 wrote it: at most 1,024 characters. */
  readonly text: string;
  readonly count: number;
  /** Bytes of all but one of them. */
  readonly wastedBytes: number;
  /** One of them. */
  readonly node: number;
}

/** Strings with the same text in objects of their own, by what one object would save. */
export function duplicateStrings(graph: HeapGraph, most: number): DuplicateString[] {
  const types = new Set([graph.typeNamed('string')]);
  const groups = new Map<string, { name: number; count: number; bytes: number; node: number }>();
  // texts are cut where V8 writes them: equal length is asked for as well
  const seen = new Map<number, number>();
  for (let node = 0; node < graph.nodeCount; node++)
    if (types.has(graph.typeIndex(node))) seen.set(graph.nameIndex(node), (seen.get(graph.nameIndex(node)) ?? 0) + 1);
  for (let node = 0; node < graph.nodeCount; node++) {
    if (!types.has(graph.typeIndex(node))) continue;
    const name = graph.nameIndex(node);
    if (seen.get(name)! < 2) continue;
    const bytes = graph.size(node);
    const key = `${name}/${bytes}`;
    const group = groups.get(key);
    if (group) group.count++;
    else groups.set(key, { name, count: 1, bytes, node });
  }
  return [...groups.values()]
    .filter(({ count, bytes }) => count > 1 && bytes > 0)
    .sort((a, b) => (b.count - 1) * b.bytes - (a.count - 1) * a.bytes || a.node - b.node)
    .slice(0, most)
    .map(({ name, count, bytes, node }) => ({
      text: graph.strings.get(name),
      count,
      wastedBytes: (count - 1) * bytes,
      node,
    }));
}

export interface ClosureShare {
  readonly name: string;
  /** `/app/server.js:12`, undefined for V8's own. */
  readonly site: string | undefined;
  readonly count: number;
  /** Of all of them; what two share counts for each. */
  readonly retainedBytes: number;
  readonly node: number;
}

/** Functions by where they are written: many of one place are made again and again, and each keeps its variables. */
export function closures(graph: HeapGraph, site: (node: number) => string | undefined, most: number): ClosureShare[] {
  const closure = graph.typeNamed('closure');
  const groups = new Map<string, { node: number; count: number; bytes: number }>();
  for (const node of graph.placed) {
    if (graph.typeIndex(node) !== closure) continue;
    const { scriptId, line, column } = graph.place(node)!;
    const key = `${scriptId}:${line}:${column}`;
    const group = groups.get(key);
    if (group) {
      group.count++;
      group.bytes += graph.retained[node]!;
    } else groups.set(key, { node, count: 1, bytes: graph.retained[node]! });
  }
  return [...groups.values()]
    .filter(({ count }) => count > 1)
    .sort((a, b) => b.bytes - a.bytes || b.count - a.count || a.node - b.node)
    .slice(0, most)
    .map(({ node, count, bytes }) => ({ name: graph.name(node), site: site(node), count, retainedBytes: bytes, node }));
}

export interface BufferShare {
  /** The ArrayBuffer, or the bytes where nothing else is known. */
  readonly node: number;
  readonly bytes: number;
}

/** Bytes outside V8's heap that ArrayBuffers hold, largest first; a small one may be a view of Buffer's pool. */
export function arrayBuffers(graph: HeapGraph): BufferShare[] {
  const native = graph.typeNamed('native');
  const holders = new Map<number, number>();
  for (let node = 0; node < graph.nodeCount; node++)
    if (graph.typeIndex(node) === native && graph.name(node) === 'system / JSArrayBufferData') holders.set(node, node);
  for (let node = 0; node < graph.nodeCount; node++) {
    const [first, end] = graph.edgeRange(node);
    for (let edge = first; edge < end; edge++) {
      const target = graph.target(edge);
      if (graph.typeIndex(target) === native && graph.keeps(edge) && holders.get(target) === target)
        holders.set(target, node);
    }
  }
  const found = [...holders].map(([node, holder]) => ({ node: holder, bytes: graph.size(node) }));
  return found.sort((a, b) => b.bytes - a.bytes || a.node - b.node);
}

export interface Detached {
  readonly node: number;
  readonly what: 'context' | 'native';
}

/** Node's bindings have a native half that V8 calls detached all their life. */
const isOfNode = (graph: HeapGraph, node: number) => /^Node \/ |BindingData$/.test(graph.name(node));

/**
 * Contexts of `vm` beyond the program's own, and objects whose native half V8 calls detached (DOM nodes in Chrome, wrappers in
 * Node).
 */
export function detachedThings(graph: HeapGraph): Detached[] {
  const found: Detached[] = [];
  const hidden = graph.typeNamed('hidden');
  let contexts = 0;
  for (let node = 0; node < graph.nodeCount; node++) {
    if (graph.isDetached(node) && !isOfNode(graph, node)) found.push({ node, what: 'native' });
    else if (graph.typeIndex(node) === hidden && isNativeContext(graph, node) && contexts++ > 0)
      found.push({ node, what: 'context' });
  }
  return found.sort((a, b) => graph.retained[b.node]! - graph.retained[a.node]!);
}
