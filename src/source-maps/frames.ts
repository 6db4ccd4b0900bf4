/** Frames of stacks where their source was written, with the names it had there. */
import { fileURLToPath } from 'node:url';
import { decodedMappings, originalPositionFor, type TraceMap } from '@jridgewell/trace-mapping';
import { generatedText, sourceName } from './text.ts';

/** A position inside a function; lines and columns from 1. */
export interface PlacedFrame {
  readonly function: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** The same frame in its source; undefined where the map does not know the position. */
export function originalFrame<F extends PlacedFrame>(
  map: TraceMap,
  frame: F,
): (F & { generated: { file: string; line: number; column: number } }) | undefined {
  const found = originalPosition(map, frame.line, frame.column - 1);
  if (!found) return undefined;
  const { source, line, column } = found;
  const { file, line: generatedLine, column: generatedColumn } = frame;
  return {
    ...frame,
    function: safely(() => originalFunction(map, frame)) ?? frame.function,
    file: filePath(sourceName(source)),
    line,
    column: column + 1,
    generated: { file, line: generatedLine, column: generatedColumn },
  };
}

/** A position from 1, and a column from 0; undefined where the map does not know it, or is damaged there. */
export function originalPosition(
  map: TraceMap,
  line: number,
  column: number,
): { source: string; line: number; column: number } | undefined {
  try {
    const found = originalPositionFor(map, { line, column: Math.max(0, column) });
    const known = typeof found.source === 'string' && Number.isFinite(found.line) && Number.isFinite(found.column);
    return known ? { source: found.source!, line: found.line!, column: found.column! } : undefined;
  } catch {
    return undefined;
  }
}

/** Segments looked at before a position: a function's own beginning is seldom farther. */
const limitSegments = 20_000;
/** Characters around an identifier that tell whether it is declared there. */
const around = 24;

/**
 * V8 tells a position inside the function, and the name it has in what runs. The name in the source is that of the nearest
 * place before where this identifier is declared or assigned, or the function calls itself.
 */
function originalFunction(map: TraceMap, frame: PlacedFrame): string | undefined {
  const text = generatedText(map);
  const name = /#?[\w$]+$/.exec(frame.function)?.[0];
  if (text === undefined || name === undefined || map.names.length === 0) return undefined;
  const mappings = decodedMappings(map);
  let tried = 0;
  for (let line = frame.line; line > 0; line--) {
    const segments = mappings[line - 1] ?? [];
    if (segments.length === 0) continue;
    const code = lineOf(text, line);
    for (let i = segments.length - 1; i >= 0; i--) {
      const segment = segments[i]!;
      if (line === frame.line && segment[0] >= frame.column) continue;
      if (++tried > limitSegments) return undefined;
      if (segment.length !== 5 || !isDeclared(code, segment[0], name)) continue;
      const original = map.names[segment[4]];
      return typeof original !== 'string' ? undefined : frame.function.slice(0, -name.length) + original;
    }
  }
  return undefined;
}

function safely<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    // a damaged map
    return undefined;
  }
}

function isDeclared(code: string, column: number, name: string): boolean {
  if (!code.startsWith(name, column)) return false;
  const after = code.slice(column + name.length, column + name.length + around);
  if (/^[\w$]/.test(after)) return false;
  const before = code.slice(Math.max(0, column - around), column);
  if (/(?:^|[^\w$])function\s*\*?\s*$/.test(before)) return true;
  // a property of something else is another function
  return (
    !/[.\w$]\s*$/.test(before.replace(/\b(?:const|let|var|async|static|get|set|return)\s+$/, '')) &&
    /^\s*(?:\(|=(?![=>]))/.test(after)
  );
}

/** Where each line of the last text begins: frames of one stack are mostly of one script. */
let indexed: { text: string; starts: number[] } | undefined;

/** A line of a text, from 1. */
function lineOf(text: string, line: number): string {
  if (indexed?.text !== text) {
    const starts = [0];
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
    indexed = { text, starts };
  }
  const from = indexed.starts[line - 1];
  return from === undefined ? '' : text.slice(from, indexed.starts[line]);
}

/** The path of a `file:` URL; anything else as it is. */
export function filePath(url: string): string {
  if (!url.startsWith('file://')) return url;
  try {
    return fileURLToPath(url);
  } catch {
    return url;
  }
}
