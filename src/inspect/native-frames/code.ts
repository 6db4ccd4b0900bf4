/** Machine code that V8 made of functions, by an address inside it. */
import type { Heap } from './heap.ts';
import { wordAt } from './memory.ts';

export interface Code {
  /** The address of the Code object. */
  readonly at: number;
  readonly kind: 'baseline' | 'maglev' | 'turbofan' | 'other';
  readonly start: number;
  readonly size: number;
}

/** Code that is longer is not found: its function then has no line. */
const maxCodeBytes = 4 << 20;
const chunk = 64 << 10;
const page = 4096;
/** How much of an Isolate is searched for the map of code: V8 has some 700 roots of 8 bytes each. */
const rootBytes = 0x2000;

/** The tagged pointer to the map of InstructionStreams, one of V8's roots; null where it is not found. It does not move. */
export function findStreamMap(heap: Heap, isolate: number): number | null {
  const { layout } = heap;
  const roots = heap.memory.read(isolate + layout.isolate.nullRoot, rootBytes);
  for (let at = 0; roots && at + 8 <= roots.length; at += 8) {
    const map = wordAt(roots, at);
    if (heap.object(map, layout.mapType) !== null && heap.typeByMap(map) === layout.streamType) return map;
  }
  return null;
}

/** Whether that is still such a map; nothing to check where none was found. */
export function isStreamMap(heap: Heap, map: number | null): boolean {
  return map === null || heap.typeByMap(map) === heap.layout.streamType;
}

/** The code that an address lies in: its InstructionStream begins somewhere before, with that map. */
export function findCode(heap: Heap, streamMap: number, pc: number): Code | null {
  const wanted = Buffer.alloc(8);
  wanted.writeBigUInt64LE(BigInt(streamMap));
  for (let end = pc - (pc % 8); end > pc - maxCodeBytes; ) {
    const start = Math.max(end - chunk, 0);
    const bytes = heap.memory.read(start, end - start);
    const readable = bytes ?? readableBefore(heap, end);
    if (!readable) return null;
    const first = end - readable.length;
    for (let at = readable.lastIndexOf(wanted); at >= 0; at = at > 0 ? readable.lastIndexOf(wanted, at - 1) : -1) {
      const code = (first + at) % 8 === 0 ? codeAt(heap, first + at, pc) : null;
      if (code) return code;
    }
    if (!bytes) return null;
    end = start;
  }
  return null;
}

/** What of the bytes before an address can be read, in whole pages: other memory may end there. */
function readableBefore(heap: Heap, end: number): Buffer | null {
  const parts: Buffer[] = [];
  for (let at = end; at > end - chunk; ) {
    const start = at % page === 0 ? at - page : at - (at % page);
    const bytes = heap.memory.read(start, at - start);
    if (!bytes) break;
    parts.unshift(bytes);
    at = start;
  }
  return parts.length > 0 ? Buffer.concat(parts) : null;
}

function codeAt(heap: Heap, stream: number, pc: number): Code | null {
  const { layout } = heap;
  const at = heap.object(heap.field(stream, layout.streamCode), layout.codeType);
  if (at === null || heap.field(at, layout.codeStream) !== stream + 1) return null;
  const start = heap.field(at, layout.codeStart);
  const size = heap.integer(at, layout.codeSize);
  const flags = heap.integer(at, layout.codeFlags);
  if (start === null || size === null || flags === null || pc <= start || pc > start + size) return null;
  const kinds = { [layout.baselineKind]: 'baseline', [layout.maglevKind]: 'maglev', [layout.turbofanKind]: 'turbofan' };
  return { at, kind: (kinds[flags & layout.kindMask] ?? 'other') as Code['kind'], start, size };
}
