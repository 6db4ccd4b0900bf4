/** The frames of a main thread that JavaScript cannot interrupt, from its memory, as readings and stalls show them. */
import type { Frame } from '../../protocol/replies.ts';
import { filePath } from '../../source-maps/frames.ts';
import { type NativeFrame, type NativeStack, readNativeStack } from './read.ts';

export interface MemoryStack {
  /** Innermost first; null where they cannot be read, or the thread is in no native code that JavaScript called. */
  readonly frames: Frame[] | null;
  /** What is to be known about them. */
  readonly notes: string[];
}

/** Nothing of the process runs for it, and nothing is paused. `attempts`: fewer where the thread may well be in JavaScript. Never throws. */
export function readMemoryStack(procDir: string, attempts?: number): MemoryStack {
  const stack = readNativeStack(procDir, undefined, attempts);
  return { frames: stack.state === 'native' ? toFrames(stack.frames) : null, notes: notesOn(stack) };
}

/** Builtins between functions of scripts are left out, as the inspector does; what was called last is not. */
function toFrames(frames: readonly NativeFrame[]): Frame[] {
  return frames.flatMap((frame, depth) => (frame.kind === 'script' || depth === 0 ? toFrame(frame) : []));
}

function toFrame({ kind, function: name, file, line, column, isExact }: NativeFrame): Frame {
  const known = { function: name || '(anonymous)', line: line ?? 0, column: column ?? 0 };
  if (kind === 'wasm') return { ...known, function: '(WebAssembly)', file: '', native: true };
  if (kind === 'builtin') return { ...known, file: '', native: true };
  return { ...known, file: filePath(file) || '(no file)', ...(isExact ? {} : { isStart: true }) };
}

function notesOn(stack: NativeStack): string[] {
  switch (stack.state) {
    case 'native': {
      const notes = ['frames of the main thread are read from its memory'];
      if (stack.leftOut > 0) notes.push(`${stack.leftOut} of its frames did not check and are left out`);
      if (!stack.isWhole) notes.push('its outermost frames could not be read');
      return notes;
    }
    case 'none':
      return ['no JavaScript is on the stack of the main thread: it was not JavaScript that called what it is in'];
    case 'running':
      return ['the main thread went on while its memory was read: no frames'];
    case 'unreadable':
      return [`frames cannot be read from memory: ${stack.reason}`];
  }
}
