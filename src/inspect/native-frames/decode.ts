/** What the frames of a walk are: which function, where in it. */
import type { Builtins } from './builtins.ts';
import { byteArray, bytecodeBytes, sourcePosition } from './bytecodes.ts';
import { findCode } from './code.ts';
import { type Decoded, readFunction, sharedOf } from './functions.ts';
import type { Heap } from './heap.ts';
import { readInlined, readPositions } from './inlined.ts';
import { type BytecodeSizes, baselineOffset } from './positions.ts';
import type { StackFrame, Walk } from './walk.ts';

/** What is known of the executable beside the layout; where it was stripped, nothing. */
export interface Executable {
  readonly builtins: Builtins;
  readonly bytecodeSizes: BytecodeSizes | null;
  /** The map of machine code; null where it was not found. */
  readonly streamMap: number | null;
}

/** Innermost first; and how many frames did not check and are left out. */
export function decode(heap: Heap, walk: Walk, executable: Executable): { frames: Decoded[]; doubtful: number } {
  const frames: Decoded[] = [];
  let doubtful = 0;
  for (const frame of walk.frames) {
    if (frame.marker === heap.layout.wasmFrame)
      frames.push({ kind: 'wasm', facts: { name: '', script: null, start: null, end: null }, position: null });
    if (frame.marker !== null) continue;
    const functions = decodeFunctions(heap, walk, frame, executable);
    if (functions) frames.push(...functions);
    else doubtful++;
  }
  return { frames, doubtful };
}

/** A frame of compiled code holds those of the functions that were inlined, too. */
function decodeFunctions(heap: Heap, { stack }: Walk, frame: StackFrame, executable: Executable): Decoded[] | null {
  const { layout } = heap;
  const context = heap.object(stack.word(frame.fp + layout.frameContext));
  const contextType = context === null ? null : heap.typeOf(context);
  if (contextType === null || contextType < layout.firstContextType || contextType > layout.lastContextType)
    return null;
  const shared = sharedOf(heap, stack.word(frame.fp + layout.frameFunction));
  const facts = shared === null ? null : readFunction(heap, shared);
  if (!facts || shared === null) return null;
  if (facts.script === null) return [{ kind: 'builtin', facts, position: null }];
  const only = (position: number | null): Decoded[] => [{ kind: 'script', facts, position }];

  const bytecodes = heap.object(stack.word(frame.fp + layout.frameBytecodes), layout.bytecodesType);
  const builtin = executable.builtins.nameAt(frame.pc);
  // without names a frame is taken for what its slots look like
  const interpreted =
    builtin === undefined
      ? bytecodes !== null && isSmi(stack.read(frame.fp + layout.frameBytecodeOffset, 8))
      : builtin !== null && /^(BaselineOr)?Interpreter/.test(builtin);
  if (interpreted) {
    const bytes = stack.read(frame.fp + layout.frameBytecodeOffset, 8);
    if (bytecodes === null || !isSmi(bytes)) return only(null);
    return only(sourcePosition(heap, bytecodes, bytes.readInt32LE(4) - layout.bytecodes + 1));
  }
  const code = executable.streamMap === null ? null : findCode(heap, executable.streamMap, frame.pc);
  if (code?.kind === 'baseline' && bytecodes !== null && executable.bytecodeSizes) {
    const table = byteArray(heap, heap.field(code.at, layout.codeBytecodeOffsets));
    const all = bytecodeBytes(heap, bytecodes);
    const offset = table && all && baselineOffset(table, frame.pc - code.start, all, executable.bytecodeSizes);
    return only(offset === null ? null : sourcePosition(heap, bytecodes, offset));
  }
  if (code?.kind === 'maglev' || code?.kind === 'turbofan')
    return readInlined(heap, code, frame.pc, shared) ?? readPositions(heap, code, frame.pc, shared) ?? only(null);
  return only(null);
}

function isSmi(bytes: Buffer | null): bytes is Buffer {
  return bytes !== null && bytes.readUInt32LE(0) === 0;
}
