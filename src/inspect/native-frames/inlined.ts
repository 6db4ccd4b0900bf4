import type { Code } from './code.ts';
import type { Decoded } from './decode.ts';
import type { Heap } from './heap.ts';

/** The functions in a frame of optimised code, innermost first; null where its tables cannot be read. */
export function readInlined(_heap: Heap, _code: Code, _pc: number, _shared: number): Decoded[] | null {
  return null;
}
