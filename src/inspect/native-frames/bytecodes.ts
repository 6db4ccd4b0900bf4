/** V8's bytecode of a function, and the tables around it. */
import type { Heap } from './heap.ts';
import { positionAt } from './positions.ts';

/** Longer tables are no tables. */
const maxTableBytes = 16 << 20;

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

export function bytecodeBytes(heap: Heap, bytecodes: number): Buffer | null {
  const length = heap.smi(bytecodes, heap.layout.arrayLength);
  if (length === null || length < 0 || length > maxTableBytes) return null;
  return heap.memory.read(bytecodes + heap.layout.bytecodes, length);
}

/** A function's bytecode hangs on it directly, on its baseline code, or on what --interpreted-frames-native-stack makes. */
export function bytecodesOf(heap: Heap, shared: number): number | null {
  const { layout } = heap;
  let at = heap.object(heap.field(shared, layout.sharedData));
  for (let i = 0; i < 3 && at !== null; i++) {
    const type = heap.typeOf(at);
    if (type === layout.bytecodesType) return at;
    const next = type === layout.codeType ? layout.codeDeoptimization : layout.arrayLength;
    at = heap.object(heap.field(at, next));
  }
  return null;
}
