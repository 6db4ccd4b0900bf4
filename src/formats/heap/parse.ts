/**
 * A heap snapshot into typed arrays, in one pass over its bytes and a second over its nodes. What is only said to people
 * (strings, names of edges) stays in the file, with the byte where it begins: memory is about two thirds of the file.
 */
import { NodeopsError } from '../../protocol/errors.ts';
import { type RowSink, SnapshotScanner } from '../snapshot-scanner.ts';
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
export const chunkBytes = 1024 * 1024;

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
  /** Node, script, line and column of each. */
  readonly #places = new Offsets();
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
      locations: sortedLocations(this.#places, meta.nodeCount),
    };
  }

  #expect(key: string, numbers: number, promised: string): void {
    const found = this.#counts.get(key);
    if (found !== numbers)
      damaged(`it promises ${promised}, which is ${numbers} numbers, but has ${found ?? 'none'} of them`);
  }

  #sink(key: string, startByte: number): RowSink | undefined {
    const meta = this.#meta ?? damaged(`its ${key} come before its "snapshot" part`);
    if (key === 'nodes') return this.#nodes(meta, startByte);
    if (key === 'edges') return this.#edges(meta, startByte);
    return meta.locationWidth > 0 ? this.#locations(meta) : undefined;
  }

  #nodes(meta: SnapshotMeta, startByte: number): RowSink {
    this.#nodesAtByte = startByte;
    const types = new Uint8Array(meta.nodeCount);
    const firstEdge = new Uint32Array(meta.nodeCount + 1);
    [this.#types, this.#firstEdge] = [types, firstEdge];
    const { type: typeAt, edge_count: edgesAt, detachedness: detachedAt } = meta.node;
    const { nodeWidth: width, nodeCount, edgeCount } = meta;
    const typeCount = meta.nodeTypes.length;
    let [node, edges] = [0, 0];
    const take: RowSink['take'] = (values, count) => {
      for (let i = 0; i < count; i++) if (values[i]! < 0) damaged(`node ${node} has a negative number`);
      for (let i = 0; i + width <= count; i += width) {
        const type = values[i + typeAt]!;
        if (type >= typeCount) damaged(`node ${node} is of type ${type} of ${typeCount}`);
        if (node >= nodeCount) damaged(`it has more nodes than the ${nodeCount} it promises`);
        edges += values[i + edgesAt]!;
        if (edges > edgeCount) damaged(`its nodes have more edges than the ${edgeCount} it promises`);
        types[node] = detachedAt < 0 ? type : type | ((values[i + detachedAt]! & 3) << 6);
        firstEdge[++node] = edges;
      }
    };
    return { width, take };
  }

  #edges(meta: SnapshotMeta, startByte: number): RowSink {
    if (this.#types.length !== meta.nodeCount) damaged('its edges come before its nodes');
    const targets = new Uint32Array(meta.edgeCount);
    const marks = new Float64Array(Math.ceil(meta.edgeCount / edgesPerMark));
    [this.#targets, this.#marks] = [targets, marks];
    const bits = Uint32Array.from(meta.edgeTypes, (type) =>
      type === 'weak' ? weakBit : type === 'shortcut' ? shortcutBit : 0,
    );
    const { type: typeAt, to_node: toAt } = meta.edge;
    const { nodeWidth, edgeWidth: width, nodeCount, edgeCount } = meta;
    let edge = 0;
    if (edgeCount > 0) marks[0] = startByte;
    const take: RowSink['take'] = (values, count, ends) => {
      for (let i = 0; i + width <= count; i += width) {
        const target = values[i + toAt]! / nodeWidth;
        const type = values[i + typeAt]!;
        if (!(target >= 0 && target < nodeCount) || target !== Math.floor(target))
          damaged(`edge ${edge} leads to no node`);
        if (!(type >= 0 && type < bits.length)) damaged(`edge ${edge} is of type ${type} of ${bits.length}`);
        if (edge >= edgeCount) damaged(`it has more edges than the ${edgeCount} it promises`);
        targets[edge++] = (target | bits[type]!) >>> 0;
        if (edge % edgesPerMark === 0 && edge < edgeCount) marks[edge / edgesPerMark] = ends[i + width - 1]! + 1;
      }
    };
    return { width, take };
  }

  #locations(meta: SnapshotMeta): RowSink {
    const { object_index: objectAt, script_id: scriptAt, line: lineAt, column: columnAt } = meta.location;
    const { locationWidth: width, nodeWidth, nodeCount } = meta;
    const places = this.#places;
    const take: RowSink['take'] = (values, count) => {
      for (let i = 0; i + width <= count; i += width) {
        const node = values[i + objectAt]! / nodeWidth;
        if (!(node >= 0 && node < nodeCount) || node !== Math.floor(node)) damaged('a location is of no node');
        places.push(node);
        for (const at of [scriptAt, lineAt, columnAt]) places.push(values[i + at]! >>> 0);
      }
    };
    return { width, take };
  }
}

function sortedLocations(rows: Offsets, nodeCount: number): Locations {
  const count = rows.length / 4;
  const rowOf = new Uint32Array(count > 0 ? nodeCount : 0);
  for (let i = 0; i < count; i++) rowOf[rows.get(4 * i)] = i + 1;
  const [nodes, places] = [new Uint32Array(count), new Uint32Array(3 * count)];
  let found = 0;
  for (let node = 0; node < rowOf.length; node++) {
    const row = rowOf[node]!;
    if (row === 0) continue;
    for (let k = 0; k < 3; k++) places[3 * found + k] = rows.get(4 * (row - 1) + 1 + k);
    nodes[found++] = node;
  }
  return { nodes: nodes.subarray(0, found), places };
}
