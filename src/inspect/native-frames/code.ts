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

/** The code that an address lies in: its InstructionStream begins somewhere before, with a map that says so. */
export function findCode(heap: Heap, pc: number): Code | null {
  for (let end = pc - (pc % 8); end > pc - maxCodeBytes; ) {
    const start = Math.max(end - chunk, 0);
    const bytes = heap.memory.read(start, end - start);
    const readable = bytes ?? readableBefore(heap, end);
    if (!readable) return null;
    const first = end - readable.length;
    for (let at = readable.length - 8; at >= 0; at -= 8) {
      const code = codeAt(heap, first + at, wordAt(readable, at), pc);
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

function codeAt(heap: Heap, stream: number, map: number, pc: number): Code | null {
  const { layout } = heap;
  if (map % 8 !== 1 || heap.typeByMap(map) !== layout.streamType) return null;
  const at = heap.object(heap.field(stream, layout.streamCode), layout.codeType);
  if (at === null || heap.field(at, layout.codeStream) !== stream + 1) return null;
  const start = heap.field(at, layout.codeStart);
  const size = heap.integer(at, layout.codeSize);
  const flags = heap.integer(at, layout.codeFlags);
  if (start === null || size === null || flags === null || pc <= start || pc > start + size) return null;
  const number = flags & layout.kindMask;
  const kind =
    number === layout.baselineKind
      ? 'baseline'
      : number === layout.maglevKind
        ? 'maglev'
        : number === layout.turbofanKind
          ? 'turbofan'
          : 'other';
  return { at, kind, start, size };
}
