/** The frames of a stack, from where it left JavaScript outwards, by their frame pointers. */
import type { Heap } from './heap.ts';
import { type Memory, wordAt } from './memory.ts';

/** What the Isolate says of its thread's stack. */
export interface Top {
  readonly exitFrame: number;
  readonly fastCallFrame: number;
  readonly fastCallPc: number;
  readonly entryFrame: number;
}

/** One frame: its frame pointer, and the address it goes on at, inside its own code. */
export interface StackFrame {
  readonly fp: number;
  readonly pc: number;
  /** The kind of a frame that is not of a function: V8's number for it. */
  readonly marker: number | null;
}

export interface Walk {
  /** From the innermost one. */
  readonly frames: StackFrame[];
  /** Whether the outermost entry was reached. */
  readonly isWhole: boolean;
  /** The part of the stack that was walked. */
  readonly stack: StackBytes;
}

/** More is a recursion without end: its innermost frames tell enough. */
const maxStackBytes = 1 << 20;
const maxFrames = 5000;
/** Slots of a frame below its frame pointer that are read. */
const below = 128;

export class StackBytes implements Memory {
  readonly start: number;
  readonly bytes: Buffer;

  constructor(start: number, bytes: Buffer) {
    this.start = start;
    this.bytes = bytes;
  }

  read(address: number, length: number): Buffer | null {
    const at = address - this.start;
    return at >= 0 && at + length <= this.bytes.length ? this.bytes.subarray(at, at + length) : null;
  }

  word(address: number): number | null {
    const bytes = this.read(address, 8);
    return bytes && wordAt(bytes, 0);
  }
}

export function readTop({ memory, layout }: Heap, isolate: number): Top | null {
  const words = Object.entries(layout.isolate).filter(([name]) => name !== 'nullRoot');
  const values: Record<string, number> = {};
  for (const [name, offset] of words) {
    const bytes = memory.read(isolate + offset, 8);
    if (!bytes) return null;
    values[name] = wordAt(bytes, 0);
  }
  return values as unknown as Top;
}

/** Where the thread is outside JavaScript, which called it; null where it runs none, or JavaScript itself. */
export function walk(heap: Heap, top: Top): Walk | null {
  const innermost = top.exitFrame || top.fastCallFrame;
  if (!innermost || !top.entryFrame || innermost > top.entryFrame) return null;
  const start = innermost - below;
  const length = Math.min(top.entryFrame + 16 - start, maxStackBytes);
  const bytes = heap.memory.read(start, length);
  if (!bytes) return null;
  const stack = new StackBytes(start, bytes);
  const frames: StackFrame[] = [];
  const isWhole = top.exitFrame
    ? follow(heap, stack, top, frames, top.exitFrame, 0)
    : follow(heap, stack, top, frames, top.fastCallFrame, top.fastCallPc);
  return { frames, isWhole, stack };
}

function follow(heap: Heap, stack: StackBytes, top: Top, frames: StackFrame[], fp: number, pc: number): boolean {
  const { layout } = heap;
  for (let frame = { fp, pc }; frames.length < maxFrames; ) {
    const context = stack.word(frame.fp + layout.frameContext);
    const outer = stack.word(frame.fp);
    const back = stack.word(frame.fp + 8);
    if (context === null || frame.fp % 8 !== 0) return false;
    const marker = context % 2 === 0 && context < 256 ? context / 2 : null;
    frames.push({ ...frame, marker });
    let next: { fp: number; pc: number };
    if (marker === layout.entryFrame || marker === layout.constructEntryFrame) {
      if (frame.fp === top.entryFrame) return true;
      const left = leftBefore(heap, stack, frame.fp);
      if (!left) return false;
      next = left;
    } else {
      if (outer === null || back === null) return false;
      next = { fp: outer, pc: back };
    }
    if (next.fp <= frame.fp || next.fp > top.entryFrame) return false;
    frame = next;
  }
  return false;
}

/** An entry frame keeps where JavaScript had been left before. */
function leftBefore({ layout }: Heap, stack: StackBytes, fp: number): { fp: number; pc: number } | null {
  const exit = stack.word(fp + layout.entryExitFrame);
  if (exit) return { fp: exit, pc: 0 };
  if (!layout.entryKeepsFastCall) return null;
  const frame = stack.word(fp + layout.entryExitFrame - 8);
  const pc = stack.word(fp + layout.entryExitFrame - 16);
  return frame && pc ? { fp: frame, pc } : null;
}
