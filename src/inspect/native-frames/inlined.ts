/** The functions that V8 has inlined into a frame of optimised code, from the data it keeps for going back to bytecode. */

import { byteArray, bytecodesOf, sourcePosition } from './bytecodes.ts';
import type { Code } from './code.ts';
import { type Decoded, readFunction } from './functions.ts';
import type { Heap } from './heap.ts';
import { wordAt } from './memory.ts';
import { positionAt, unpack } from './positions.ts';
import { readTranslation } from './translations.ts';

/** Innermost first; null where any of it does not check. `shared`: the function that the frame itself says it is of. */
export function readInlined(heap: Heap, code: Code, pc: number, shared: number): Decoded[] | null {
  const { layout } = heap;
  const data = heap.object(heap.field(code.at, layout.codeDeoptimization), ...layout.deoptimizationTypes);
  if (data === null) return null;
  const translation = translationAt(heap, code, data, pc - code.start);
  const bytes = byteArray(heap, heap.field(data, layout.arrayData));
  const frames = translation !== null && bytes && readTranslation(bytes, translation, layout.instructions);
  if (!frames) return null;
  const literals = heap.object(element(heap, data, layout.deoptLiterals));
  if (literals === null) return null;
  const decoded: Decoded[] = [];
  for (const [depth, { literal, bytecodeOffset }] of frames.entries()) {
    const inlined = functionAt(heap, literals, literal);
    const facts = inlined === null ? null : readFunction(heap, inlined);
    if (inlined === null || !facts || (depth === 0 && inlined !== shared)) return null;
    const bytecodes = bytecodesOf(heap, inlined);
    const position = bytecodes === null ? null : sourcePosition(heap, bytecodes, bytecodeOffset);
    decoded.unshift({ kind: facts.script === null ? 'builtin' : 'script', facts, position });
  }
  return decoded.length > 0 ? decoded : null;
}

/** The same of a call that cannot lead back to bytecode, such as to the collector: from the places that V8 notes of calls. */
export function readPositions(heap: Heap, code: Code, pc: number, shared: number): Decoded[] | null {
  const { layout } = heap;
  const data = heap.object(heap.field(code.at, layout.codeDeoptimization), ...layout.deoptimizationTypes);
  const table = byteArray(heap, heap.field(code.at, layout.codeBytecodeOffsets));
  // the address to go on at is behind the call
  let position = table && positionAt(table, pc - code.start - 1, layout.positionSteps);
  if (data === null || !position) return null;
  const literals = heap.object(element(heap, data, layout.deoptLiterals));
  const inlinings = byteArray(heap, element(heap, data, layout.deoptInlinings));
  const decoded: Decoded[] = [];
  const add = (function_: number | null, offset: number): boolean => {
    const facts = function_ === null ? null : readFunction(heap, function_);
    if (facts) decoded.push({ kind: facts.script === null ? 'builtin' : 'script', facts, position: offset });
    return facts !== null;
  };
  while (position && position.inlined !== null) {
    // the place that it was called from, and the function
    const at: number = position.inlined * 16;
    if (!inlinings || literals === null || at + 16 > inlinings.length || decoded.length > 100) return null;
    if (!add(functionAt(heap, literals, inlinings.readInt32LE(at + 8)), position.offset)) return null;
    position = unpack(wordAt(inlinings, at));
  }
  return position && add(shared, position.offset) ? decoded : null;
}

function element(heap: Heap, array: number, index: number): number | null {
  return heap.field(array, heap.layout.arrayData + 8 * index);
}

/** Where the translation begins for the call that the frame is in. */
function translationAt(heap: Heap, code: Code, data: number, pcOffset: number): number | null {
  const { layout } = heap;
  const length = heap.smi(data, layout.arrayLength);
  if (length === null || length > 1e6) return null;
  const number = (index: number): number | null => heap.smi(data, layout.arrayData + 8 * index);
  const first = layout.deoptFirstEntry;
  if (code.kind === 'maglev') {
    const index = maglevDeoptIndex(heap, code, pcOffset);
    return index === null || first + index * 3 + 2 >= length ? null : number(first + index * 3 + 1);
  }
  // each entry: bytecode, translation, place in the code
  for (let at = first; at + 2 < length; at += 3) if (number(at + 2) === pcOffset) return number(at + 1);
  return null;
}

/** Maglev keeps the places of calls in its table of safepoints, which follows the code. */
function maglevDeoptIndex(heap: Heap, code: Code, pcOffset: number): number | null {
  const header = heap.memory.read(code.start + code.size, 16);
  if (!header) return null;
  const at = heap.layout.maglevHeader;
  const count = header.readUInt32LE(at);
  const configuration = header.readUInt32LE(at + 4);
  const hasDeopt = configuration & 1;
  const [registers, pc, deopt] = [1, 4, 7].map((shift) => (configuration >> shift) & 7) as [number, number, number];
  if (!hasDeopt || pc === 0 || pc > 4 || deopt > 4 || count > 100_000) return null;
  const size = pc + deopt + pc + 1 + registers;
  const entries = heap.memory.read(code.start + code.size + 16, count * size);
  for (let i = 0; entries && i < count; i++)
    if (entries.readUIntLE(i * size, pc) === pcOffset) {
      const index = deopt === 0 ? 0 : entries.readUIntLE(i * size + pc, deopt);
      return index === 0 ? null : index - 1;
    }
  return null;
}

/** Literals are held weakly, which the second bit of the pointer tells; newer versions put a wrapper around a function. */
function functionAt(heap: Heap, literals: number, index: number): number | null {
  const { layout } = heap;
  const length = heap.smi(literals, layout.arrayLength);
  if (length === null || index < 0 || index >= length) return null;
  const tagged = element(heap, literals, index);
  const strong = tagged !== null && tagged % 4 === 3 ? tagged - 2 : tagged;
  const direct = heap.object(strong, layout.sharedType);
  if (direct !== null) return direct;
  const wrapper = layout.sharedWrapperType === null ? null : heap.object(strong, layout.sharedWrapperType);
  return wrapper === null ? null : heap.object(heap.field(wrapper, 8), layout.sharedType);
}
