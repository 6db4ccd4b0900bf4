/** Dominators the slow way: A dominates B when B cannot be reached any more once A is taken away. */

interface Json {
  readonly snapshot: {
    meta: { node_fields: string[]; edge_fields: string[]; edge_types: [string[]]; node_types: [string[]] };
  };
  readonly nodes: readonly number[];
  readonly edges: readonly number[];
  readonly strings: readonly string[];
}

export class Reference {
  readonly count: number;
  readonly size: number[] = [];
  readonly #out: number[][] = [];

  constructor(json: Json) {
    const {
      node_fields: nodeFields,
      edge_fields: edgeFields,
      edge_types: [types],
    } = json.snapshot.meta;
    const width = nodeFields.length;
    this.count = json.nodes.length / width;
    const edges: { from: number; to: number; type: string }[] = [];
    for (let node = 0, at = 0; node < this.count; node++) {
      this.size.push(json.nodes[node * width + nodeFields.indexOf('self_size')]!);
      for (let i = json.nodes[node * width + nodeFields.indexOf('edge_count')]!; i > 0; i--, at += edgeFields.length)
        edges.push({ from: node, to: json.edges[at + 2]! / width, type: types[json.edges[at]!]! });
    }
    // the program's own: from the root without its shortcuts
    const all = Array.from({ length: this.count }, (): number[] => []);
    for (const { from, to, type } of edges)
      if (type !== 'weak' && !(type === 'shortcut' && from === 0)) all[from]!.push(to);
    const owned = reach(all, 0, -1);
    this.#out = Array.from({ length: this.count }, () => []);
    for (const { from, to, type } of edges)
      if (from !== to && type !== 'weak' && (from === 0 || (type !== 'shortcut' && (owned[from] || !owned[to]))))
        this.#out[from]!.push(to);
    // what nothing leads to hangs on the root: first what nothing holds, then the rest, which hold each other
    const held = new Set(edges.filter(({ type }) => type !== 'weak' && type !== 'shortcut').map(({ to }) => to));
    for (const hangs of [(node: number) => !held.has(node), () => true]) {
      const reached = this.reachedWithout(-1);
      for (let node = 1; node < this.count; node++) if (!reached[node] && hangs(node)) this.#out[0]!.push(node);
    }
  }

  /** Whether each node is reached from the root without passing `removed`. */
  reachedWithout(removed: number): Uint8Array {
    return reach(this.#out, 0, removed);
  }
}

function reach(out: readonly number[][], from: number, without: number): Uint8Array {
  const seen = new Uint8Array(out.length);
  const stack = [from];
  seen[from] = 1;
  while (stack.length > 0)
    for (const to of out[stack.pop()!]!)
      if (!seen[to] && to !== without) {
        seen[to] = 1;
        stack.push(to);
      }
  return seen;
}
