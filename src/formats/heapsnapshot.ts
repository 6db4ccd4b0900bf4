/** Whether a .heapsnapshot is whole, and what is in it, without loading it: bytes go through once, memory stays bounded. */
import { NodeopsError } from '../protocol/errors.ts';
import { type RowSink, SnapshotScanner, type StringSink } from './snapshot-scanner.ts';

export interface SnapshotShare {
  readonly name: string;
  readonly count: number;
  /** Bytes of the objects themselves. */
  readonly selfBytes: number;
}

export interface SnapshotSummary {
  readonly nodes: number;
  readonly edges: number;
  readonly strings: number;
  readonly selfBytes: number;
  /** By V8's node type (object, closure, string, code, …), largest first. */
  readonly byType: readonly SnapshotShare[];
  /** Objects by constructor, largest first. */
  readonly byConstructor: readonly SnapshotShare[];
}

export interface SnapshotOptions {
  /** Constructors in the summary. @default 20 */
  readonly topConstructors?: number;
  /** Different constructors told apart while reading; objects of later ones are summed as `(others)`. @default 200000 */
  readonly limitConstructors?: number;
}

/** Characters of a constructor's name that are kept. */
const limitNameLength = 200;

interface Header {
  readonly nodeFields: readonly string[];
  readonly typeNames: readonly string[];
  readonly edgeFieldCount: number;
  readonly nodeCount: number;
  readonly edgeCount: number;
}

interface Sum {
  count: number;
  bytes: number;
}

/** Takes a snapshot chunk by chunk. `write` and `end` throw NodeopsError `failed` with the byte at which it goes wrong. */
export class SnapshotReader {
  readonly #scanner: SnapshotScanner;
  readonly #options: Required<SnapshotOptions>;
  readonly #counts = new Map<string, number>();
  #header: Header | undefined;
  readonly #types = new Map<number, Sum>();
  // by index into the strings, which come last
  readonly #constructors = new Map<number, Sum>();
  readonly #others: Sum = { count: 0, bytes: 0 };
  #names: Map<number, string> | undefined;
  #maxName = -1;
  #selfBytes = 0;

  constructor(options: SnapshotOptions = {}) {
    this.#options = { topConstructors: 20, limitConstructors: 200_000, ...options };
    this.#scanner = new SnapshotScanner({
      snapshot: (text) => this.#readHeader(text),
      numbers: (key) => this.#numbersOf(key),
      strings: (key) => this.#stringsOf(key),
      counted: (key, count) => this.#counts.set(key, count),
    });
  }

  /** The next bytes of the file. */
  write(chunk: Uint8Array): void {
    this.#scanner.write(chunk);
  }

  /** Checks that the file ended where it should and holds what it promised, and sums it up. */
  end(): SnapshotSummary {
    this.#scanner.end();
    const header = this.#header ?? fail('it has no "snapshot" part');
    const { nodeFields, nodeCount, edgeCount, edgeFieldCount } = header;
    this.#expect('nodes', nodeCount * nodeFields.length, `${nodeCount} nodes`);
    this.#expect('edges', edgeCount * edgeFieldCount, `${edgeCount} edges`);
    const strings = this.#counts.get('strings');
    if (strings === undefined) fail('it has no "strings" part');
    if (this.#maxName >= strings) fail(`a node names string ${this.#maxName} of ${strings}`);
    const name = (index: number) => this.#names?.get(index) ?? `(string ${index})`;
    const byConstructor = top(this.#constructors, this.#options.topConstructors, name);
    return {
      nodes: nodeCount,
      edges: edgeCount,
      strings,
      selfBytes: this.#selfBytes,
      byType: top(this.#types, this.#types.size, (type) => header.typeNames[type] ?? `type ${type}`),
      byConstructor:
        this.#others.count > 0
          ? [...byConstructor, { name: '(others)', count: this.#others.count, selfBytes: this.#others.bytes }]
          : byConstructor,
    };
  }

  #expect(key: string, numbers: number, promised: string): void {
    const found = this.#counts.get(key);
    if (found !== numbers)
      fail(`it promises ${promised}, which is ${numbers} numbers, but has ${found ?? 'none'} of them`);
  }

  #readHeader(text: string): void {
    try {
      const { meta, node_count, edge_count } = JSON.parse(text);
      const types = meta.node_types[0];
      this.#header = {
        nodeFields: meta.node_fields.map(String),
        typeNames: types.map(String),
        edgeFieldCount: meta.edge_fields.length,
        nodeCount: Number(node_count),
        edgeCount: Number(edge_count),
      };
    } catch (cause) {
      throw new NodeopsError('failed', 'the heap snapshot is damaged: its "snapshot" part cannot be read', { cause });
    }
  }

  #numbersOf(key: string): RowSink | undefined {
    if (key !== 'nodes') return undefined;
    const { nodeFields, typeNames } = this.#header ?? fail('its nodes come before its "snapshot" part');
    const [typeAt, nameAt, sizeAt] = ['type', 'name', 'self_size'].map((field) => nodeFields.indexOf(field));
    const objects = new Set(['object', 'native'].map((name) => typeNames.indexOf(name)));
    const width = nodeFields.length;
    const row = (type: number, name: number, size: number) => {
      this.#selfBytes += size;
      if (name > this.#maxName) this.#maxName = name;
      addTo(this.#types, type, size);
      if (!objects.has(type)) return;
      if (this.#constructors.has(name) || this.#constructors.size < this.#options.limitConstructors)
        addTo(this.#constructors, name, size);
      else {
        this.#others.count++;
        this.#others.bytes += size;
      }
    };
    return {
      width,
      take: (values, count) => {
        for (let i = 0; i + width <= count; i += width)
          row(values[i + typeAt!] ?? 0, values[i + nameAt!] ?? 0, values[i + sizeAt!] ?? 0);
      },
    };
  }

  #stringsOf(key: string): StringSink | undefined {
    if (key !== 'strings') return undefined;
    const largest = [...this.#constructors].sort(bySize).slice(0, this.#options.topConstructors);
    const wanted = new Set(largest.map(([index]) => index));
    const names = new Map<number, string>();
    this.#names = names;
    return {
      wants: (index) => wanted.has(index),
      limitLength: limitNameLength,
      take: (index, text) => names.set(index, text),
    };
  }
}

function addTo(sums: Map<number, Sum>, key: number, bytes: number): void {
  const sum = sums.get(key);
  if (sum) {
    sum.count++;
    sum.bytes += bytes;
  } else sums.set(key, { count: 1, bytes });
}

const bySize = ([a, x]: [number, Sum], [b, y]: [number, Sum]): number =>
  y.bytes - x.bytes || y.count - x.count || a - b;

function top(sums: ReadonlyMap<number, Sum>, count: number, name: (key: number) => string): SnapshotShare[] {
  return [...sums]
    .sort(bySize)
    .slice(0, count)
    .map(([key, sum]) => ({ name: name(key), count: sum.count, selfBytes: sum.bytes }));
}

function fail(problem: string): never {
  throw new NodeopsError('failed', `the heap snapshot is damaged: ${problem}`);
}
