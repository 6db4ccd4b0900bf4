/** The function of V8 or Node in C++ that JavaScript called last. */
import { nameOf } from './builtins.ts';
import { type Decoded, type FunctionFacts, readFunction, sharedOf } from './functions.ts';
import type { Heap } from './heap.ts';
import { wordAt } from './memory.ts';
import type { Walk } from './walk.ts';

/** Where the frame of a call to one of V8's builtins keeps the function. */
const builtinTarget = 24;

interface Names {
  readonly cppBuiltins: ReadonlyMap<number, string>;
  readonly base: number;
}

/** Null where the call was to something that has no name in JavaScript, or where it does not check. */
export function innermost(heap: Heap, isolate: number, { frames, stack }: Walk, names: Names): Decoded | null {
  const { layout } = heap;
  const frame = frames[0];
  if (!frame) return null;
  if (frame.marker === layout.builtinExitFrame) {
    const shared = sharedOf(heap, stack.word(frame.fp + builtinTarget));
    const facts = shared === null ? null : readFunction(heap, shared);
    if (!facts?.name) return null;
    const called = heap.memory.read(isolate + layout.isolate.cFunction, 8);
    const builtin = called && names.cppBuiltins.get(wordAt(called, 0) - names.base);
    return native(builtin ? nameOf(builtin, facts.name) : facts.name);
  }
  if (layout.apiFrame && frame.marker === layout.apiFrame.marker) {
    const template = heap.object(stack.word(frame.fp + layout.apiFrame.template));
    const shared =
      template === null ? null : heap.object(heap.field(template, layout.apiFrame.shared), layout.sharedType);
    const facts = shared === null ? null : readFunction(heap, shared);
    return facts?.name ? native(facts.name) : null;
  }
  return null;
}

function native(name: string): Decoded {
  const facts: FunctionFacts = { name, script: null, start: null, end: null };
  return { kind: 'builtin', facts, position: null };
}
