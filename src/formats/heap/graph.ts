/** A heap that can be asked: types, names, edges, what dominates what, and what is reached from where. */
import { eachNumber, NumberList } from '../number-list.ts';
import { type NodeColumns, readColumns } from './columns.ts';
import { type Dominators, dominatorsOf, type Retainers, retainedSizes, retainersOf } from './dominators.ts';
import { edgesPerMark, type Parsed, parse, type Steps, shortcutBit, targetMask, weakBit } from './parse.ts';
import type { ByteSource } from './source.ts';
import { StringTable } from './string-table.ts';

export interface Edge {
  readonly type: string;
  /** The property's or variable's name; an index for elements and V8's hidden ones. */
  readonly name: string | number;
  readonly from: number;
  readonly to: number;
  readonly weak: boolean;
}

export interface Place {
  readonly scriptId: number;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
}

export const rootNode = 0;

export class HeapGraph {
  readonly strings: StringTable;
  /** By node: the node that keeps it alone. */
  readonly dominator: Uint32Array;
  /** By node: bytes that go with it. */
  readonly retained: Float64Array;
  readonly nodeCount: number;
  readonly edgeCount: number;
  readonly #source: ByteSource;
  readonly #parsed: Parsed;
  readonly #columns: NodeColumns;
  readonly #spare: [Uint32Array, Uint32Array];
  readonly #free: Uint32Array[];
  #retainers: Retainers | undefined;

  constructor(source: ByteSource, parsed: Parsed, columns: NodeColumns, dominators: Dominators, free: Uint32Array[]) {
    this.#source = source;
    this.#parsed = parsed;
    this.#columns = columns;
    this.#spare = [...dominators.spare];
    this.strings = new StringTable(source, parsed.strings);
    this.nodeCount = parsed.meta.nodeCount;
    this.edgeCount = parsed.meta.edgeCount;
    this.dominator = dominators.parent;
    this.retained = retainedSizes(dominators, (node) => this.size(node));
    this.#free = [...free, dominators.order];
  }

  type(node: number): string {
    return this.#parsed.meta.nodeTypes[this.typeIndex(node)]!;
  }
  typeIndex(node: number): number {
    return this.#parsed.types[node]! & 63;
  }
  /** -1 where this version has no such type. */
  typeNamed(name: string): number {
    return this.#parsed.meta.nodeTypes.indexOf(name);
  }
  isDetached(node: number): boolean {
    return this.#parsed.types[node]! >> 6 === 2;
  }
  /** Index into `strings`; one text has one index. */
  nameIndex(node: number): number {
    return this.#columns.names[node]!;
  }
  name(node: number): string {
    return this.strings.get(this.nameIndex(node));
  }
  /** V8's number of the object, which stays the same in later snapshots of the process. */
  id(node: number): number {
    return this.#columns.ids[node]!;
  }
  /** -1 without such an object. */
  nodeOfId(id: number): number {
    return this.#columns.ids.indexOf(id);
  }
  /** Bytes of the object itself. */
  size(node: number): number {
    const size = this.#columns.sizes[node]!;
    return size === 0xffff_ffff ? (this.#columns.large.get(node) ?? size) : size;
  }
  edgeRange(node: number): readonly [number, number] {
    return [this.#parsed.firstEdge[node]!, this.#parsed.firstEdge[node + 1]!];
  }
  target(edge: number): number {
    return this.#parsed.targets[edge]! & targetMask;
  }
  /** Whether the edge is a true reference that keeps its target alive. */
  keeps(edge: number): boolean {
    return !(this.#parsed.targets[edge]! & (weakBit | shortcutBit));
  }
  isShortcut(edge: number): boolean {
    return (this.#parsed.targets[edge]! & shortcutBit) !== 0;
  }

  /** The node's edges with their names, read from the file. */
  edges(node: number, limitEdges = 1_000_000): Edge[] {
    const [from, to] = this.edgeRange(node);
    return this.#readEdges(node, from, Math.min(to, from + limitEdges));
  }
  /** One edge with its name. */
  edge(node: number, edge: number): Edge {
    return this.#readEdges(node, edge, edge + 1)[0]!;
  }

  #readEdges(node: number, from: number, to: number): Edge[] {
    const { meta, marks, targets } = this.#parsed;
    if (from >= to) return [];
    const mark = Math.floor(from / edgesPerMark);
    const edges: Edge[] = [];
    const row: number[] = [];
    let edge = mark * edgesPerMark;
    const take = eachNumber((value) => {
      if (row.push(value) < meta.edgeWidth) return;
      if (edge >= from && edge < to) {
        const type = meta.edgeTypes[row[meta.edge.type]!]!;
        const name = row[meta.edge.name_or_index]!;
        edges.push({
          type,
          name: type === 'element' || type === 'hidden' ? name : this.strings.get(name),
          from: node,
          to: targets[edge]! & targetMask,
          weak: (targets[edge]! & weakBit) !== 0,
        });
      }
      edge++;
      row.length = 0;
    });
    const list = new NumberList(take);
    const buffer = new Uint8Array(Math.min(1024 * 1024, 32 * meta.edgeWidth * (to - edge + 1)));
    for (let at = marks[mark]!, started = false; edge < to && !list.ended; at += buffer.length) {
      const bytes = buffer.subarray(0, this.#source.read(buffer, at));
      if (bytes.length === 0) break;
      // the mark is after a number: the comma before the next one is skipped
      const skipped = started ? 0 : bytes.findIndex((byte) => byte >= 0x30 && byte <= 0x39);
      started = true;
      const damage = skipped < 0 || list.write(bytes, skipped, at) < 0;
      list.flush();
      if (damage) break;
    }
    return edges;
  }

  /** Where a function, or the class of an instance, is written; undefined for what V8 tells none. */
  place(node: number): Place | undefined {
    const { nodes, places } = this.#parsed.locations;
    const at = findSorted(nodes, node);
    if (at < 0) return undefined;
    return { scriptId: places[3 * at]!, line: places[3 * at + 1]! + 1, column: places[3 * at + 2]! + 1 };
  }

  /** Nodes with a place, ascending. */
  get placed(): Uint32Array {
    return this.#parsed.locations.nodes;
  }

  /** Looked for when somebody asks: they take as much memory as the edges. */
  get retainers(): Retainers {
    this.#retainers ??= finished(retainersOf(this.#parsed));
    return this.#retainers;
  }

  /** A number per node, of any value, for whoever asks to keep. */
  take(): Uint32Array {
    return this.#free.pop()?.subarray(0, this.nodeCount) ?? new Uint32Array(this.nodeCount);
  }

  /** Two arrays of a number per node that whoever is called may use until it returns. */
  borrow(): [Uint32Array, Uint32Array] {
    return this.#spare;
  }

  close(): void {
    this.#source.close();
  }
}

function findSorted(values: Uint32Array, wanted: number): number {
  let [low, high] = [0, values.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (values[middle]! < wanted) low = middle + 1;
    else if (values[middle]! > wanted) high = middle - 1;
    else return middle;
  }
  return -1;
}

/** Reads a whole snapshot. Yields how far it is; throws NodeopsError `failed` or `too-large`. */
export function* readHeap(source: ByteSource): Steps<HeapGraph> {
  const parsed = yield* part(parse(source), 0, 0.55);
  const retainers = yield* part(retainersOf(parsed), 0.55, 0.65);
  const documentTrees = findDocumentTrees(source, parsed);
  const dominators = yield* part(dominatorsOf(parsed, retainers, documentTrees), 0.65, 0.9);
  const columns = yield* part(readColumns(source, parsed, retainers.sources.buffer), 0.9, 1);
  return new HeapGraph(source, parsed, columns, dominators, [retainers.first]);
}

function finished<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

function* part<Result>(steps: Steps<Result>, from: number, to: number): Steps<Result> {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    yield from + (to - from) * value;
  }
}

/** Only Chrome has them: synthetic, and among what the root holds. */
function findDocumentTrees(
  source: ByteSource,
  { meta, firstEdge, targets, types, nodesAtByte, strings }: Parsed,
): number {
  const synthetic = meta.nodeTypes.indexOf('synthetic');
  const candidates = new Set<number>();
  for (let edge = firstEdge[rootNode]!; edge < firstEdge[rootNode + 1]!; edge++) {
    const node = targets[edge]! & targetMask;
    if ((types[node]! & 63) === synthetic && node < 64) candidates.add(node);
  }
  const table = new StringTable(source, strings);
  const { nodeWidth: width } = meta;
  let [node, found] = [0, -1];
  const list = new NumberList((values, count) => {
    for (let i = 0; i + width <= count; i += width, node++)
      if (candidates.has(node) && table.get(values[i + meta.node.name]!) === '(Document DOM trees)') found = node;
  }, width);
  const buffer = new Uint8Array(64 * meta.nodeWidth * 20);
  list.write(buffer.subarray(0, source.read(buffer, nodesAtByte)), 0, nodesAtByte);
  list.flush();
  return found;
}
