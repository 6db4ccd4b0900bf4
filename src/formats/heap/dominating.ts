import { type HeapGraph, rootNode } from './graph.ts';
import { isBetween, isGlobal } from './labels.ts';

/**
 * Where the heap comes together: objects that keep much which no single thing below them keeps. A table of a million
 * sessions is one; the map around it, and the module around that, are not told again. Of an endless list nothing below its
 * head keeps less than nearly all: there it is the head. Less than a share of the heap is left out.
 */
export function largestDominators(graph: HeapGraph, most: number, leastShare = 0.005): number[] {
  const { dominator, retained, nodeCount } = graph;
  const [heaviest] = graph.borrow();
  heaviest.fill(rootNode);
  for (let node = 1; node < nodeCount; node++) {
    const above = dominator[node]!;
    if (heaviest[above] === rootNode || retained[node]! > retained[heaviest[above]!]!) heaviest[above] = node;
  }
  const least = retained[rootNode]! * leastShare;
  const spreading = (node: number) => retained[node]! - (heaviest[node] === rootNode ? 0 : retained[heaviest[node]!]!);
  const found = new Set<number>();
  const candidates: number[] = [];
  for (let node = 1; node < nodeCount; node++)
    if (retained[node]! >= least && isOwn(graph, node)) candidates.push(node);
  const points = candidates.filter((node) => spreading(node) >= least);
  for (const node of points) {
    const object = objectAround(graph, node);
    if (object !== undefined) found.add(object);
  }
  // chains: topmost of those with nothing found below them
  const covered = new Set<number>();
  for (const node of found) for (let at = node; at !== rootNode; at = dominator[at]!) covered.add(at);
  for (const node of candidates)
    if (!covered.has(node) && !isBetween(graph, node) && !hasAbove(graph, node, found)) {
      const above = dominator[node]!;
      if (covered.has(above) || above === rootNode || isBetween(graph, above)) found.add(node);
    }
  return [...found].sort((a, b) => retained[b]! - retained[a]! || a - b).slice(0, most);
}

/** What belongs to the program rather than to V8: not the roots, the global object, contexts of the runtime. */
function isOwn(graph: HeapGraph, node: number): boolean {
  const type = graph.type(node);
  return type !== 'synthetic' && type !== 'code' && type !== 'object shape' && !isGlobal(graph, node);
}

/** The nearest object that a program knows, at or above a node. */
function objectAround(graph: HeapGraph, node: number): number | undefined {
  for (let at = node; at !== rootNode; at = graph.dominator[at]!) {
    if (graph.type(at) === 'synthetic') return undefined;
    if (isGlobal(graph, at)) return undefined;
    if (!isBetween(graph, at)) return at;
  }
  return undefined;
}

function hasAbove(graph: HeapGraph, node: number, found: ReadonlySet<number>): boolean {
  for (let at = graph.dominator[node]!; at !== rootNode; at = graph.dominator[at]!) if (found.has(at)) return true;
  return false;
}
