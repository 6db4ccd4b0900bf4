import { type HeapGraph, rootNode } from './graph.ts';

/** Walks the tree of dominators depth first, without a stack: `enter` before what a node dominates, `leave` after it. */
export function walkDominators(
  graph: HeapGraph,
  enter: (node: number) => void,
  leave: (node: number) => void = () => {},
): void {
  const { dominator, nodeCount } = graph;
  const [firstChild, nextSibling] = graph.borrow();
  // the root is nobody's child, so 0 says that there is none
  firstChild.fill(0);
  for (let node = nodeCount - 1; node > 0; node--) {
    nextSibling[node] = firstChild[dominator[node]!]!;
    firstChild[dominator[node]!] = node;
  }
  let node = rootNode;
  enter(node);
  for (;;) {
    let next = firstChild[node]!;
    while (next === 0) {
      leave(node);
      if (node === rootNode) return;
      next = nextSibling[node]!;
      node = dominator[node]!;
    }
    node = next;
    enter(node);
  }
}

/** What a node dominates directly, largest first. */
export function dominatedBy(graph: HeapGraph, node: number): number[] {
  const found: number[] = [];
  for (let other = 1; other < graph.nodeCount; other++) if (graph.dominator[other] === node) found.push(other);
  return found.sort((a, b) => graph.retained[b]! - graph.retained[a]! || a - b);
}
