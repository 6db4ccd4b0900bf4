/**
 * V8's profiles as pprof's protobuf, for the gops CLI, which gives what it gets to `go tool pprof`. The smallest form of it: the
 * plugin converts by src/formats, which knows source maps, labels and threads, and is no part of what an app loads.
 */
import { gzipSync } from 'node:zlib';

interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  /** From 0; -1 for what is no function of a script. */
  readonly lineNumber: number;
}
/** The parts of `Profiler.Profile` that are read here; times in microseconds. */
export interface CpuProfile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: CallFrame; readonly children?: number[] }[];
  readonly startTime: number;
  readonly endTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}
interface HeapNode {
  readonly callFrame: CallFrame;
  readonly selfSize: number;
  readonly children: readonly HeapNode[];
}
/** The parts of `HeapProfiler.SamplingHeapProfile` that are read here. */
export interface HeapProfile {
  readonly head: HeapNode;
}

/** `samples/count` and `wall/nanoseconds`: V8 looks by the wall clock. Idle time is left out. Gzipped. A sample holds until the next one. */
export function cpuToPprof({ nodes, samples, timeDeltas, startTime, endTime }: CpuProfile): Uint8Array {
  const pprof = new Encoder([
    ['samples', 'count'],
    ['wall', 'nanoseconds'],
  ]);
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const self = new Map<number, { count: number; micros: number }>();
  let at = 0;
  const taken = samples.map((id, i) => {
    at += timeDeltas[i] ?? 0;
    return { id, at };
  });
  // V8 hands some over late, with a negative delta
  taken.sort((one, other) => one.at - other.at);
  for (const [i, { id, at }] of taken.entries()) {
    const micros = Math.max(0, (taken[i + 1]?.at ?? endTime - startTime) - at);
    const sum = self.get(id) ?? { count: 0, micros: 0 };
    self.set(id, { count: sum.count + 1, micros: sum.micros + micros });
  }
  for (const [id, { count, micros }] of self) {
    if (frames.get(id)?.functionName === '(idle)') continue;
    const stack: CallFrame[] = [];
    for (let node: number | undefined = id; node !== undefined && parents.has(node); node = parents.get(node))
      stack.push(frames.get(node)!);
    if (stack.length > 0) pprof.sample(stack, [count, Math.round(micros * 1000)]);
  }
  return pprof.finish({ durationNanos: Math.round((endTime - startTime) * 1000) });
}

/** `inuse_space/bytes`, gzipped. */
export function heapToPprof({ head }: HeapProfile): Uint8Array {
  const pprof = new Encoder([['inuse_space', 'bytes']]);
  const visit = (node: HeapNode, outer: readonly CallFrame[]): void => {
    const stack = node === head ? outer : [node.callFrame, ...outer];
    if (node.selfSize > 0) pprof.sample(stack.length > 0 ? stack : [node.callFrame], [Math.round(node.selfSize)]);
    for (const child of node.children) visit(child, stack);
  };
  visit(head, []);
  return pprof.finish({});
}

/** Fields of pprof's profile.proto by their numbers. */
class Encoder {
  readonly #strings = new Map<string, number>([['', 0]]);
  readonly #locations = new Map<string, number>();
  readonly #parts: Buffer[] = [];

  constructor(sampleTypes: readonly (readonly [string, string])[]) {
    for (const [type, unit] of sampleTypes)
      this.#parts.push(field(1, Buffer.concat([number(1, this.#text(type)), number(2, this.#text(unit))])));
  }

  /** Innermost frame first. */
  sample(stack: readonly CallFrame[], values: readonly number[]): void {
    const ids = Buffer.concat(stack.map((frame) => varint(this.#location(frame))));
    this.#parts.push(field(2, Buffer.concat([field(1, ids), field(2, Buffer.concat(values.map(varint)))])));
  }

  finish({ durationNanos = 0 }: { durationNanos?: number }): Uint8Array {
    const strings = [...this.#strings.keys()].map((text) => field(6, Buffer.from(text)));
    const times = [number(9, Date.now() * 1e6), number(10, durationNanos)];
    return gzipSync(Buffer.concat([...this.#parts, ...strings, ...times]), { level: 1 });
  }

  #text(text: string): number {
    const known = this.#strings.get(text) ?? this.#strings.size;
    this.#strings.set(text, known);
    return known;
  }

  /** A location and its function share their id. */
  #location({ functionName, url, lineNumber }: CallFrame): number {
    const line = Math.max(0, lineNumber + 1);
    // go tool pprof tells functions apart by name only
    const name = functionName || `(anonymous ${url.slice(url.lastIndexOf('/') + 1) || '?'}:${line})`;
    const key = `${name} ${url} ${line}`;
    const known = this.#locations.get(key);
    if (known !== undefined) return known;
    const id = this.#locations.size + 1;
    this.#locations.set(key, id);
    const text = number(2, this.#text(name));
    this.#parts.push(
      field(5, Buffer.concat([number(1, id), text, number(4, this.#text(url)), number(5, line)])),
      field(4, Buffer.concat([number(1, id), field(4, Buffer.concat([number(1, id), number(2, line)]))])),
    );
    return id;
  }
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Buffer.from([...bytes, rest]);
}
function number(id: number, value: number): Buffer {
  return Buffer.concat([varint(id * 8), varint(value)]);
}
function field(id: number, content: Uint8Array): Buffer {
  return Buffer.concat([varint(id * 8 + 2), varint(content.length), content]);
}
