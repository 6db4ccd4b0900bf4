/** The shortest way from a root to every node, by what a program knows first. */
import { type HeapGraph, rootNode } from './graph.ts';

const nowhere = 0xffff_ffff;

/**
 * One search over the whole heap, in rounds: from the global objects over objects and what lies between them; then from every
 * other root likewise; then over V8's own structures too (code, shapes, the native context, which lead from everything to
 * everything and tell nobody why an object is there).
 */
export class Routes {
  readonly #graph: HeapGraph;
  readonly #from: Uint32Array;

  constructor(graph: HeapGraph) {
    this.#graph = graph;
    this.#from = graph.take().fill(nowhere);
    this.#search();
  }

  /** Nodes from the first after the root to this one; empty when nothing but weak references leads there. */
  to(node: number): number[] {
    const way: number[] = [];
    for (let at = node; at !== rootNode; at = this.#from[at]!) {
      if (at === nowhere) return [];
      way.push(at);
    }
    return way.reverse();
  }

  #search(): void {
    const graph = this.#graph;
    const [queue] = graph.borrow();
    const from = this.#from;
    const contexts = nativeContexts(graph);
    const internal = internalNodes(graph, contexts);
    let [head, tail] = [0, 0];
    const reach = (node: number, by: number) => {
      if (from[node] !== nowhere) return;
      from[node] = by;
      queue[tail++] = node;
    };
    const spread = (all: boolean) => {
      while (head < tail) {
        const node = queue[head++]!;
        const [first, end] = graph.edgeRange(node);
        for (let edge = first; edge < end; edge++) {
          if (!graph.keeps(edge)) continue;
          const target = graph.target(edge);
          if (all || !internal(target)) reach(target, node);
        }
      }
    };
    from[rootNode] = rootNode;
    const [first, end] = graph.edgeRange(rootNode);
    for (let edge = first; edge < end; edge++)
      if (graph.isShortcut(edge) && !contexts.has(graph.target(edge))) reach(graph.target(edge), rootNode);
    // the root's shortcuts lead to contexts where there are several
    for (const context of contexts)
      for (const { name, to } of graph.edges(context)) if (name === 'global_object') reach(to, rootNode);
    spread(false);
    for (let edge = first; edge < end; edge++) if (graph.keeps(edge)) reach(graph.target(edge), rootNode);
    spread(false);
    // what was reached is gone over again, for what was left out
    head = 0;
    spread(true);
  }
}

function nativeContexts(graph: HeapGraph): ReadonlySet<number> {
  const hidden = graph.typeNamed('hidden');
  const found = new Set<number>();
  for (let node = 0; node < graph.nodeCount; node++)
    if (graph.typeIndex(node) === hidden && isNativeContext(graph, node)) found.add(node);
  return found;
}

function internalNodes(graph: HeapGraph, contexts: ReadonlySet<number>): (node: number) => boolean {
  const types = new Set([graph.typeNamed('code'), graph.typeNamed('object shape')]);
  return (node) => types.has(graph.typeIndex(node)) || contexts.has(node);
}

export function isNativeContext(graph: HeapGraph, node: number): boolean {
  return graph.name(node).startsWith('system / NativeContext');
}
