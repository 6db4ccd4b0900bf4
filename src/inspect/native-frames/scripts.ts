/** Names of scripts, and the line and column of a place in one. */
import type { Heap } from './heap.ts';

export interface Place {
  /** From 1, as everything that people read. */
  readonly line: number;
  readonly column: number;
}

/** A place further into a script is not looked for: no deadline would be kept. */
const maxSearched = 32 << 20;
const chunk = 256 << 10;

/** Path, URL or `node:` name; empty where it has none. */
export function scriptName(heap: Heap, script: number): string {
  const { layout } = heap;
  const name = heap.text(heap.field(script, layout.scriptName));
  // sourceURL, of what eval compiles
  return name || heap.text(heap.field(script, layout.scriptSourceUrl)) || '';
}

/** The place of the character at an offset of a script; null where neither its line ends nor its source can be read. */
export function placeAt(heap: Heap, script: number, offset: number): Place | null {
  const place = fromLineEnds(heap, script, offset) ?? fromSource(heap, script, offset);
  if (!place) return null;
  // where another text is around it, such as in vm.Script
  const lines = heap.smi(script, heap.layout.scriptLineOffset) ?? 0;
  const columns = heap.smi(script, heap.layout.scriptColumnOffset) ?? 0;
  return { line: place.line + lines, column: place.line === 1 ? place.column + columns : place.column };
}

function fromLineEnds(heap: Heap, script: number, offset: number): Place | null {
  const { layout } = heap;
  const ends = heap.object(heap.field(script, layout.scriptLineEnds), layout.fixedArrayType);
  const count = ends === null ? null : heap.smi(ends, layout.arrayLength);
  if (ends === null || count === null || count < 1 || count > 1e7) return null;
  const end = (line: number): number | null => heap.smi(ends, layout.arrayData + 8 * line);
  let [low, high] = [0, count - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    const at = end(middle);
    if (at === null) return null;
    if (at >= offset) high = middle;
    else low = middle + 1;
  }
  const before = low === 0 ? -1 : end(low - 1);
  const here = end(low);
  if (before === null || here === null || here < offset || before >= offset) return null;
  return { line: low + 1, column: offset - before };
}

function fromSource(heap: Heap, script: number, offset: number): Place | null {
  const source = heap.object(heap.field(script, heap.layout.scriptSource));
  if (source === null || offset > maxSearched) return null;
  let line = 1;
  let lineStart = 0;
  for (let start = 0; start < offset; start += chunk) {
    // one more, to know whether a \r at the end belongs to a \n
    const text = heap.text(source + 1, start, Math.min(chunk, offset - start) + 1);
    if (text === null) return null;
    const length = Math.min(text.length, offset - start);
    for (const { index, 0: end } of text.matchAll(/\r\n|[\n\r\u2028\u2029]/g)) {
      if (index + end.length > length || index >= chunk) break;
      line++;
      lineStart = start + index + end.length;
    }
  }
  return { line, column: offset - lineStart + 1 };
}
