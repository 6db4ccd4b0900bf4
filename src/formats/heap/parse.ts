/**
 * A heap snapshot into typed arrays, in one pass over its bytes and a second over its nodes. What is only said to people
 * (strings, names of edges) stays in the file, with the byte where it begins: memory is about two thirds of the file.
 */
import { NodeopsError } from '../../protocol/errors.ts';
import { NumberList } from '../number-list.ts';
import { SnapshotScanner } from '../snapshot-scanner.ts';
import { damaged, readMeta, type SnapshotMeta } from './meta.ts';
import { Offsets } from './offsets.ts';
import type { ByteSource } from './source.ts';

/** In an entry of `targets`: the edge keeps nothing alive, or is V8's shortcut past the true path. */
export const weakBit = 0x8000_0000;
export const shortcutBit = 0x4000_0000;
export const targetMask = 0x3fff_ffff;
/** The byte of the file is noted for the first of every so many edges. */
export const edgesPerMark = 64;
/** Offsets of strings are kept in 32 bits. */
const limitFileBytes = 2 ** 32 - 1;
const chunkBytes = 1024 * 1024;

/** Where functions, and instances of classes written in JavaScript, come from. */
export interface Locations {
  /** Nodes, ascending. */
  readonly nodes: Uint32Array;
  /** Per entry of `nodes`: script, line and column, from 0. */
  readonly places: Uint32Array;
}

export interface Parsed {
  readonly meta: SnapshotMeta;
  /** The node's type, with its detachedness in bits 6 and 7. */
  readonly types: Uint8Array;
  /** The first edge of each node, and the number of edges at the end. */
  readonly firstEdge: Uint32Array;
  readonly targets: Uint32Array;
  /** Bytes of the file: of edge 0, 64, 128 … */
  readonly marks: Float64Array;
  readonly nodesAtByte: number;
  readonly strings: Offsets;
  readonly locations: Locations;
}

/** What a long work does between its parts: it yields how far it is, from 0 to 1. */
export type Steps<Result> = Generator<number, Result, void>;

export function* parse(source: ByteSource): Steps<Parsed> {
  if (source.sizeBytes > limitFileBytes)
    throw new NodeopsError('too-large', `the heap snapshot has ${source.sizeBytes} bytes; up to 4 GiB are read`);
  const builder = new Builder(source.sizeBytes);
  const buffer = new Uint8Array(Math.min(chunkBytes, Math.max(1, source.sizeBytes)));
  for (let at = 0; at < source.sizeBytes; ) {
    const count = source.read(buffer, at);
    if (count === 0) break;
    builder.scanner.write(buffer.subarray(0, count));
    at += count;
    yield at / source.sizeBytes;
  }
  return builder.end();
}

class Builder {
  readonly scanner: SnapshotScanner;
  readonly #counts = new Map<string, number>();
  readonly #strings = new Offsets();
  readonly #places: number[] = [];
  #meta: SnapshotMeta | undefined;
  #types = new Uint8Array(0);
  #firstEdge = new Uint32Array(1);
  #targets = new Uint32Array(0);
  #marks = new Float64Array(0);
  #nodesAtByte = 0;

  constructor(fileBytes: number) {
    this.scanner = new SnapshotScanner({
      snapshot: (text) => {
        if (this.#meta) damaged('it has two "snapshot" parts');
        this.#meta = readMeta(text, fileBytes);
      },
      numbers: (key, startByte) => this.#sink(key, startByte),
      strings: () => ({
        wants: () => false,
        limitLength: 0,
        take: () => {},
        at: (_, byte) => this.#strings.push(byte),
      }),
      counted: (key, count) => {
        if (this.#counts.has(key)) damaged(`it has two "${key}" parts`);
        this.#counts.set(key, count);
      },
    });
  }

  end(): Parsed {
    this.scanner.end();
    const meta = this.#meta ?? damaged('it has no "snapshot" part');
    this.#expect('nodes', meta.nodeCount * meta.nodeWidth, `${meta.nodeCount} nodes`);
    this.#expect('edges', meta.edgeCount * meta.edgeWidth, `${meta.edgeCount} edges`);
    if (meta.nodeCount === 0) damaged('it has no nodes');
    if (!this.#counts.has('strings')) damaged('it has no "strings" part');
    return {
      meta,
      types: this.#types,
      firstEdge: this.#firstEdge,
      targets: this.#targets,
      marks: this.#marks,
      nodesAtByte: this.#nodesAtByte,
      strings: this.#strings,
      locations: sortedLocations(this.#places),
    };
  }

  #expect(key: string, numbers: number, promised: string): void {
    const found = this.#counts.get(key);
    if (found !== numbers)
      damaged(`it promises ${promised}, which is ${numbers} numbers, but has ${found ?? 'none'} of them`);
  }

  #sink(key: string, startByte: number) {
    const meta = this.#meta ?? damaged(`its ${key} come before its "snapshot" part`);
    if (key === 'nodes') return this.#nodes(meta, startByte);
    if (key === 'edges') return this.#edges(meta, startByte);
    return meta.locationWidth > 0 ? this.#locations(meta) : undefined;
  }

  #nodes(meta: SnapshotMeta, startByte: number) {
    this.#nodesAtByte = startByte;
    const types = new Uint8Array(meta.nodeCount);
    const firstEdge = new Uint32Array(meta.nodeCount + 1);
    [this.#types, this.#firstEdge] = [types, firstEdge];
    const { type: typeAt, edge_count: edgesAt, detachedness: detachedAt } = meta.node;
    let [node, field, edges, bits] = [0, 0, 0, 0];
    return (value: number) => {
      if (value < 0) damaged(`node ${node} has a negative number`);
      if (field === typeAt) {
        if (value >= meta.nodeTypes.length) damaged(`node ${node} is of type ${value} of ${meta.nodeTypes.length}`);
        bits |= value;
      } else if (field === detachedAt) bits |= (value & 3) << 6;
      else if (field === edgesAt) edges += value;
      if (++field < meta.nodeWidth) return;
      if (node >= meta.nodeCount) damaged(`it has more nodes than the ${meta.nodeCount} it promises`);
      if (edges > meta.edgeCount) damaged(`its nodes have more edges than the ${meta.edgeCount} it promises`);
      types[node] = bits;
      firstEdge[++node] = edges;
      [field, bits] = [0, 0];
    };
  }

  #edges(meta: SnapshotMeta, startByte: number) {
    if (this.#types.length !== meta.nodeCount) damaged('its edges come before its nodes');
    const targets = new Uint32Array(meta.edgeCount);
    const marks = new Float64Array(Math.ceil(meta.edgeCount / edgesPerMark));
    [this.#targets, this.#marks] = [targets, marks];
    const [weak, shortcut] = [meta.edgeTypes.indexOf('weak'), meta.edgeTypes.indexOf('shortcut')];
    const { type: typeAt, to_node: toAt } = meta.edge;
    const { nodeWidth, edgeWidth, nodeCount, edgeCount } = meta;
    let [edge, field, type, target] = [0, 0, 0, 0];
    if (edgeCount > 0) marks[0] = startByte;
    return (value: number, endByte: number) => {
      if (field === toAt) target = value / nodeWidth;
      else if (field === typeAt) type = value;
      if (++field < edgeWidth) return;
      field = 0;
      if (!(target >= 0 && target < nodeCount) || target !== Math.floor(target))
        damaged(`edge ${edge} leads to no node`);
      if (!(type >= 0 && type < meta.edgeTypes.length))
        damaged(`edge ${edge} is of type ${type} of ${meta.edgeTypes.length}`);
      if (edge >= edgeCount) damaged(`it has more edges than the ${edgeCount} it promises`);
      targets[edge++] = (target | (type === weak ? weakBit : type === shortcut ? shortcutBit : 0)) >>> 0;
      if (edge % edgesPerMark === 0 && edge < edgeCount) marks[edge / edgesPerMark] = endByte + 1;
    };
  }

  #locations(meta: SnapshotMeta) {
    const { object_index: objectAt, script_id: scriptAt, line: lineAt, column: columnAt } = meta.location;
    const row = new Array<number>(meta.locationWidth).fill(0);
    let field = 0;
    return (value: number) => {
      row[field++] = value;
      if (field < meta.locationWidth) return;
      field = 0;
      const node = row[objectAt]! / meta.nodeWidth;
      if (!(node >= 0 && node < meta.nodeCount) || node !== Math.floor(node)) damaged('a location is of no node');
      this.#places.push(node, row[scriptAt]! >>> 0, row[lineAt]! >>> 0, row[columnAt]! >>> 0);
    };
  }
}

function sortedLocations(rows: readonly number[]): Locations {
  const count = rows.length / 4;
  const order = new Uint32Array(count);
  for (let i = 0; i < count; i++) order[i] = i;
  order.sort((a, b) => rows[4 * a]! - rows[4 * b]!);
  const [nodes, places] = [new Uint32Array(count), new Uint32Array(3 * count)];
  for (let i = 0; i < count; i++) {
    const from = 4 * order[i]!;
    nodes[i] = rows[from]!;
    for (let k = 0; k < 3; k++) places[3 * i + k] = rows[from + 1 + k]!;
  }
  return { nodes, places };
}

export interface NodeColumns {
  readonly names: Uint32Array;
  readonly ids: Uint32Array;
  /** Sizes of 4 GiB and more are in `large`. */
  readonly sizes: Uint32Array;
  readonly large: ReadonlyMap<number, number>;
}

/** What the first pass left out of the nodes, so that it need not be there while dominators are looked for. */
export function* readColumns(source: ByteSource, { meta, nodesAtByte, strings }: Parsed): Steps<NodeColumns> {
  const { nodeCount, nodeWidth } = meta;
  const { name: nameAt, id: idAt, self_size: sizeAt } = meta.node;
  const names = new Uint32Array(nodeCount);
  const ids = new Uint32Array(nodeCount);
  const sizes = new Uint32Array(nodeCount);
  const large = new Map<number, number>();
  let [node, field] = [0, 0];
  const list = new NumberList((value) => {
    if (field === nameAt) {
      if (value >= strings.length) damaged(`node ${node} names string ${value} of ${strings.length}`);
      names[node] = value;
    } else if (field === idAt) ids[node] = value;
    else if (field === sizeAt) {
      sizes[node] = Math.min(value, 0xffff_ffff);
      if (value >= 0xffff_ffff) large.set(node, value);
    }
    if (++field < nodeWidth) return;
    field = 0;
    node++;
  });
  const buffer = new Uint8Array(chunkBytes);
  for (let at = nodesAtByte; !list.ended; at += buffer.length) {
    const count = source.read(buffer, at);
    if (count === 0 || list.write(buffer.subarray(0, count), 0, at) < 0) damaged('it changed while it was read');
    yield node / nodeCount;
  }
  return { names, ids, sizes, large };
}
