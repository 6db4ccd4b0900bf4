/** What the frames of a walk are: which function, where in it. */
import type { Builtins } from './builtins.ts';
import { findCode } from './code.ts';
import { type FunctionFacts, readFunction } from './functions.ts';
import type { Heap } from './heap.ts';
import { readInlined, readPositions } from './inlined.ts';
import { type BytecodeSizes, baselineOffset, positionAt } from './positions.ts';
import type { StackFrame, Walk } from './walk.ts';

export interface Decoded {
  readonly kind: 'script' | 'builtin' | 'wasm';
  readonly facts: FunctionFacts;
  /** The character of the script; null where only the function is known. */
  readonly position: number | null;
}

/** What is known of the executable beside the layout; where it was stripped, nothing. */
export interface Executable {
  readonly builtins: Builtins;
  readonly bytecodeSizes: BytecodeSizes | null;
  /** The map of machine code; null where it was not found. */
  readonly streamMap: number | null;
}

/** Longer tables are no tables. */
const maxTableBytes = 16 << 20;

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

/** The SharedFunctionInfo of a JSFunction, as an address. */
export function sharedOf(heap: Heap, tagged: number | null): number | null {
  const { layout } = heap;
  const object = heap.object(tagged);
  const type = object === null ? null : heap.typeOf(object);
  // classes and array constructors have types of their own after the plain one
  if (object === null || type === null || type < layout.functionType || type > layout.functionType + 20) return null;
  return heap.object(heap.field(object, layout.functionShared), layout.sharedType);
}

/** The character that a bytecode comes from; null where V8 has not noted it, which it does when it is first asked. */
export function sourcePosition(heap: Heap, bytecodes: number, offset: number): number | null {
  const length = heap.smi(bytecodes, heap.layout.arrayLength);
  if (length === null || offset < 0 || offset >= length) return null;
  const table = byteArray(heap, heap.field(bytecodes, heap.layout.bytecodePositions));
  return (table && positionAt(table, offset, heap.layout.positionSteps)?.offset) ?? null;
}

export function byteArray(heap: Heap, tagged: number | null): Buffer | null {
  const { layout } = heap;
  const at = heap.object(tagged, ...layout.byteArrayTypes);
  const length = at === null ? null : heap.smi(at, layout.arrayLength);
  if (at === null || length === null || length < 0 || length > maxTableBytes) return null;
  return heap.memory.read(at + layout.arrayData, length);
}

function bytecodeBytes(heap: Heap, bytecodes: number): Buffer | null {
  const length = heap.smi(bytecodes, heap.layout.arrayLength);
  if (length === null || length < 0 || length > maxTableBytes) return null;
  return heap.memory.read(bytecodes + heap.layout.bytecodes, length);
}

function isSmi(bytes: Buffer | null): bytes is Buffer {
  return bytes !== null && bytes.readUInt32LE(0) === 0;
}
