import type { HeapGraph } from './graph.ts';
import { className } from './labels.ts';
import { walkDominators } from './tree.ts';

export interface ClassShare {
  readonly name: string;
  readonly count: number;
  /** Bytes of the objects themselves. */
  readonly selfBytes: number;
  /** Bytes that would go with all of them; what one of the class holds by way of another counts once. */
  readonly retainedBytes: number;
  /** The one that retains most. */
  readonly largest: number;
}

/** All classes by retained size, and which one a node is of. */
export class Classes {
  readonly shares: readonly ClassShare[];
  /** By node, the index into `names`. */
  readonly #classOf: Uint32Array;
  readonly #names: readonly string[];

  constructor(graph: HeapGraph) {
    const { classOf, names } = classify(graph);
    this.#classOf = classOf;
    this.#names = names;
    const count = new Uint32Array(names.length);
    const self = new Float64Array(names.length);
    const retained = new Float64Array(names.length);
    const largest = new Uint32Array(names.length);
    const inside = new Uint32Array(names.length);
    walkDominators(
      graph,
      (node) => {
        const of = classOf[node]!;
        if (count[of]!++ === 0 || graph.retained[node]! > graph.retained[largest[of]!]!) largest[of] = node;
        self[of]! += graph.size(node);
        if (inside[of]!++ === 0) retained[of]! += graph.retained[node]!;
      },
      (node) => inside[classOf[node]!]!--,
    );
    this.shares = names
      .map((name, i) => ({
        name,
        count: count[i]!,
        selfBytes: self[i]!,
        retainedBytes: retained[i]!,
        largest: largest[i]!,
      }))
      .filter((share) => share.count > 0 && share.name !== '(roots)' && !share.name.startsWith('global'))
      .sort((a, b) => b.retainedBytes - a.retainedBytes || b.selfBytes - a.selfBytes || (a.name < b.name ? -1 : 1));
  }

  of(node: number): string {
    return this.#names[this.#classOf[node]!]!;
  }

  /** The nodes of a class, in the order of the file. */
  nodesOf(name: string): number[] {
    const wanted = this.#names.indexOf(name);
    const found: number[] = [];
    for (let node = 0; node < this.#classOf.length; node++) if (this.#classOf[node] === wanted) found.push(node);
    return found;
  }
}

function classify(graph: HeapGraph): { classOf: Uint32Array; names: string[] } {
  const classOf = graph.take();
  const names: string[] = [];
  const byName = new Map<string, number>();
  // what tells the class: the type, and for objects the name
  const byKind = new Map<number, number>();
  const named = new Set(['object', 'native'].map((type) => graph.typeNamed(type)));
  for (let node = 0; node < graph.nodeCount; node++) {
    const type = graph.typeIndex(node);
    const kind = named.has(type) ? graph.nameIndex(node) * 64 + type : -1 - type;
    let index = byKind.get(kind);
    if (index === undefined) {
      const name = className(graph, node);
      index = byName.get(name);
      if (index === undefined) {
        index = names.push(name) - 1;
        byName.set(name, index);
      }
      byKind.set(kind, index);
    }
    classOf[node] = index;
  }
  return { classOf, names };
}
