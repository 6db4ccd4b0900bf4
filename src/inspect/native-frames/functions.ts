/** What is known of a function: its names and where it is written. */
import type { Heap } from './heap.ts';

export interface FunctionFacts {
  /** Empty where it has none. */
  readonly name: string;
  /** The Script, as an address; null for what V8 has built in. */
  readonly script: number | null;
  /** Where its text begins in the script, in characters; null where that is not known. */
  readonly start: number | null;
  readonly end: number | null;
}

/** A function on the stack. */
export interface Decoded {
  readonly kind: 'script' | 'builtin' | 'wasm';
  readonly facts: FunctionFacts;
  /** The character of the script; null where only the function is known. */
  readonly position: number | null;
}

/** Bits of a ScopeInfo's flags; the same in all versions that there are tables for. */
const flags = {
  savedClassVariable: 1 << 10,
  functionVariable: 3 << 12,
  inferredName: 1 << 14,
};
/** A scope with more variables keeps their names in a table of its own. */
const maxInlinedNames = 75;
const word = 8;

/** `shared`: the address of a SharedFunctionInfo. Null where it does not check. */
export function readFunction(heap: Heap, shared: number): FunctionFacts | null {
  const { layout } = heap;
  if (heap.typeOf(shared) !== layout.sharedType) return null;
  const script = readScript(heap, heap.field(shared, layout.sharedScript));
  const named = heap.field(shared, layout.sharedName);
  const name = heap.text(named);
  if (name !== null) return { name, script, start: null, end: null };
  const scope = heap.object(named, layout.scopeInfoType);
  if (scope === null) return { name: '', script, start: null, end: null };
  return { script, ...readScope(heap, scope) };
}

/** The Script of a function; while it is debugged, a DebugInfo may stand in its place (V8 11). */
function readScript(heap: Heap, tagged: number | null): number | null {
  const { layout } = heap;
  const script = heap.object(tagged, layout.scriptType);
  if (script !== null) return script;
  const debugInfo = heap.object(tagged, layout.debugInfoType);
  if (debugInfo === null) return null;
  for (let offset = word; offset <= 6 * word; offset += word) {
    const inside = heap.object(heap.field(debugInfo, offset), layout.scriptType);
    if (inside !== null) return inside;
  }
  return null;
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

function readScope(heap: Heap, scope: number): Omit<FunctionFacts, 'script'> {
  const { layout } = heap;
  const at = (index: number): number => word + index * word;
  const bytes = heap.memory.read(scope + at(0), word);
  const locals = heap.smi(scope, at(layout.scopeInfoLocals));
  const nothing = { name: '', start: null, end: null };
  if (!bytes || locals === null || locals < 0 || locals > 1e6) return nothing;
  // a small integer in older versions, a plain number in newer ones
  const bits = bytes.readUInt32LE(0) || bytes.readUInt32LE(4);
  let index = layout.scopeInfoFirst;
  if ((bits & 15) === layout.moduleScope) index++;
  index += locals <= maxInlinedNames - 1 ? locals : 1;
  index += locals;
  if (bits & flags.savedClassVariable) index++;
  let name = '';
  if (bits & flags.functionVariable) {
    name = heap.text(heap.field(scope, at(index))) ?? '';
    index += 2;
  }
  if (bits & flags.inferredName) {
    name ||= heap.text(heap.field(scope, at(index))) ?? '';
    index++;
  }
  const place = layout.positionsFirst ? layout.scopeInfoFirst - 2 : index;
  const start = heap.smi(scope, at(place));
  const end = heap.smi(scope, at(place + 1));
  if (start === null || end === null || start < 0 || end < start) return { ...nothing, name };
  return { name, start, end };
}
