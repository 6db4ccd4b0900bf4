/** The main thread's Isolate, found by the pointers to it that its own frames keep on the stack. */
import type { Heap } from './heap.ts';
import { isAddress, wordAt } from './memory.ts';

export interface Range {
  readonly start: number;
  readonly end: number;
}

/** The part of a stack that is searched at a time, from its outer end: there the frames of Node's main() are. */
const chunk = 64 << 10;
/** Above the frames are arguments and environment, at most 2 MB by default of the kernel. */
const maxSearched = 4 << 20;

/** Null where no pointer on that stack is one to an Isolate. */
export function findIsolate(heap: Heap, stack: Range): number | null {
  const refused = new Set<number>();
  const lowest = Math.max(stack.start, stack.end - maxSearched);
  for (let end = stack.end; end > lowest; end -= chunk) {
    const start = Math.max(lowest, end - chunk);
    const bytes = heap.memory.read(start, end - start);
    for (const candidate of bytes ? pointers(bytes, stack) : []) {
      if (refused.has(candidate)) continue;
      if (isIsolate(heap, candidate)) return candidate;
      refused.add(candidate);
    }
  }
  return null;
}

/** Pointers to what is not on the stack itself, the most frequent first: the one to the Isolate is everywhere. */
function pointers(bytes: Buffer, stack: Range): number[] {
  const counts = new Map<number, number>();
  for (let at = 0; at + 8 <= bytes.length; at += 8) {
    const word = wordAt(bytes, at);
    if (word % 16 !== 0 || !isAddress(word) || (word >= stack.start && word < stack.end)) continue;
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return [...counts].sort(([, a], [, b]) => b - a).map(([word]) => word);
}

/** Whether V8's roots null, true and false are where an Isolate has them. */
export function isIsolate(heap: Heap, address: number): boolean {
  const { layout, memory } = heap;
  const roots = memory.read(address + layout.isolate.nullRoot, 24);
  if (!roots) return false;
  return [layout.nullKind, layout.trueKind, layout.falseKind].every((kind, i) => {
    const oddball = heap.object(wordAt(roots, i * 8), layout.oddballType);
    return oddball !== null && heap.smi(oddball, layout.oddballKind) === kind;
  });
}
