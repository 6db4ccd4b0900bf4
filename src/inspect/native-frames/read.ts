/** The JavaScript frames of a process's main thread, read from its memory while it is outside JavaScript. Nothing of the process runs for it. */
import { readMaps } from '../../proc/maps.ts';
import { builtinsAt } from './builtins.ts';
import { findStreamMap, isStreamMap } from './code.ts';
import { decode } from './decode.ts';
import { type Executable, executableOf } from './executable.ts';
import type { Decoded } from './functions.ts';
import { Heap } from './heap.ts';
import { findIsolate, isIsolate, type Range } from './isolate.ts';
import { PageCache } from './memory.ts';
import { innermost } from './natives.ts';
import { ProcessMemory } from './process.ts';
import { placeAt, scriptName } from './scripts.ts';
import { readTop, type Top, type Walk, walk } from './walk.ts';

export interface NativeFrame {
  readonly kind: 'script' | 'builtin' | 'wasm';
  /** Empty where the function has no name. */
  readonly function: string;
  /** Path, URL or `node:` name; empty where there is none. */
  readonly file: string;
  /** From 1; null where it could not be read. */
  readonly line: number | null;
  readonly column: number | null;
  /** Whether line and column are where it is, not only where its function begins. */
  readonly isExact: boolean;
}

export type NativeStack =
  /** The frames are what the thread ran before and after they were read, and every one of them checked. */
  | { readonly state: 'native'; readonly frames: NativeFrame[]; readonly isWhole: boolean; readonly leftOut: number }
  /** There is no JavaScript on the stack. */
  | { readonly state: 'none' }
  /** The thread went on while it was read, as it does while JavaScript runs. */
  | { readonly state: 'running' }
  /** Why it cannot be read. */
  | { readonly state: 'unreadable'; readonly reason: string };

/** Reading takes some 10 ms of CPU; a machine that has none to give is not waited for. */
const deadlineMs = 1000;
/** The collector moves what is on a stack again and again: one look in a few meets it. */
const standardAttempts = 20;
/** As many as V8 keeps for the inspector. */
const framesKept = 200;

/** Isolates do not move: found once, kept for the process. */
const isolates = new Map<string, Isolate>();
const maxIsolates = 100;

/** `procDir`: `/proc/PID`, or `/proc/self` from another thread of the process. Never throws. */
export function readNativeStack(procDir: string, timeoutMs = deadlineMs, attempts = standardAttempts): NativeStack {
  if (process.platform !== 'linux') return { state: 'unreadable', reason: 'only on Linux' };
  let memory: ProcessMemory | undefined;
  try {
    const mappings = readMaps(procDir);
    if (!mappings) return { state: 'unreadable', reason: 'its memory map may not be read' };
    const executable = executableOf(procDir, mappings);
    const until = performance.now() + timeoutMs;
    memory = new ProcessMemory(procDir, until);
    const stack = mappings.find(({ path }) => path === '[stack]');
    if (!stack) return { state: 'unreadable', reason: 'its stack is not in its memory map' };
    const isolate = isolateOf(new Heap(new PageCache(memory), executable.layout), procDir, stack);
    if (isolate === null) return { state: 'unreadable', reason: 'no Isolate of V8 on its stack' };
    for (let i = 0; i < attempts; i++) {
      const heap = new Heap(new PageCache(memory), executable.layout);
      if (performance.now() > until) return { state: 'unreadable', reason: `it takes longer than ${timeoutMs} ms` };
      const top = readTop(heap, isolate.at);
      if (!top) return { state: 'unreadable', reason: 'its Isolate cannot be read' };
      if (!top.entryFrame) return { state: 'none' };
      const walked = walk(heap, top);
      if (!walked) continue;
      const frames = describe(heap, walked, executable, isolate);
      if (isUnchanged(new Heap(memory, executable.layout), isolate.at, top, walked))
        return { state: 'native', isWhole: walked.isWhole, ...frames };
    }
    return { state: 'running' };
  } catch (error) {
    return { state: 'unreadable', reason: error instanceof Error ? error.message : String(error) };
  } finally {
    memory?.close();
  }
}

function isolateOf(heap: Heap, key: string, stack: Range): Isolate | null {
  const known = isolates.get(key);
  // a later process with the same id has one elsewhere
  if (known && isIsolate(heap, known.at) && isStreamMap(heap, known.streamMap)) return known;
  const at = findIsolate(heap, stack);
  if (at === null) return null;
  if (isolates.size >= maxIsolates) isolates.clear();
  const found = { at, streamMap: findStreamMap(heap, at) };
  isolates.set(key, found);
  return found;
}

interface Isolate {
  readonly at: number;
  readonly streamMap: number | null;
}

type Described = Pick<Extract<NativeStack, { state: 'native' }>, 'frames' | 'leftOut'>;

function describe(heap: Heap, walked: Walk, executable: Executable, isolate: Isolate): Described {
  const { layout } = heap;
  const entry = walked.frames.find(
    ({ marker }) => marker === layout.entryFrame || marker === layout.constructEntryFrame,
  );
  const builtins = builtinsAt(executable.builtins, entry?.pc);
  const { frames, doubtful } = decode(heap, walked, {
    builtins,
    bytecodeSizes: executable.bytecodeSizes,
    streamMap: isolate.streamMap,
  });
  const left = innermost(heap, isolate.at, walked, executable);
  if (left) frames.unshift(left);
  return { frames: frames.slice(0, framesKept).map((frame) => place(heap, frame)), leftOut: doubtful };
}

function place(heap: Heap, { kind, facts, position }: Decoded): NativeFrame {
  const file = facts.script === null ? '' : scriptName(heap, facts.script);
  const at = position ?? facts.start;
  const found = facts.script === null || at === null ? null : placeAt(heap, facts.script, at);
  return {
    kind,
    function: facts.name,
    file,
    line: found?.line ?? null,
    column: found?.column ?? null,
    isExact: position !== null && found !== null,
  };
}

/** Whether the thread is where it was: then what was read in between is of one moment. */
function isUnchanged(heap: Heap, isolate: number, top: Top, { stack }: Walk): boolean {
  const now = readTop(heap, isolate);
  if (!now || Object.entries(top).some(([name, value]) => now[name as keyof Top] !== value)) return false;
  return heap.memory.read(stack.start, stack.bytes.length)?.equals(stack.bytes) ?? false;
}
