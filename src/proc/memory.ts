/** What the resident memory of a Node process is, by where and how it is mapped. */
import { readText } from './files.ts';
import { type Mapping, parseMapping } from './maps.ts';
import { readThreadCall, readThreads } from './threads.ts';

export type Allocator = 'glibc' | 'musl' | 'jemalloc' | 'tcmalloc' | 'mimalloc';

/** Resident bytes; the parts are all there is. */
export interface ResidentParts {
  readonly totalBytes: number;
  /** V8's pages of data, of every isolate. */
  readonly v8HeapBytes: number;
  /** Memory that holds compiled code. */
  readonly v8CodeBytes: number;
  /** malloc's: the main heap, arenas, and large pieces that have a mapping of their own. */
  readonly mainHeapBytes: number;
  readonly arenasBytes: number;
  readonly largeBytes: number;
  readonly stacksBytes: number;
  readonly filesBytes: number;
  readonly sharedBytes: number;
  readonly otherBytes: number;
  /** Pieces of glibc's arenas, beside the main one. */
  readonly arenas: number;
  readonly allocator: Allocator | null;
  /** MALLOC_ARENA_MAX or the tunable of the same meaning, as the process was started; null for none. */
  readonly arenaMax: string | null;
}

interface Resident extends Mapping {
  rssBytes: number;
}

const v8Page = 256 * 1024;
const arenaSize = 64 * 1024 * 1024;
/** A guard page before a thread's stack; the rest of an arena that is not in use is larger. */
const guardBytes = 64 * 1024;
/** How far below the lowest library malloc's mappings may lie; V8 takes addresses of its own, far from there. */
const libraryRoom = 64 * 1024 ** 3;

/** Null where the kernel does not show it: another user's process, no /proc. Holds the map of the process for some milliseconds a GB. */
export function readResident(procDir: string): ResidentParts | null {
  const mappings = readSmaps(procDir);
  if (!mappings) return null;
  const sums = { v8Heap: 0, v8Code: 0, mainHeap: 0, arenas: 0, large: 0, stacks: 0, files: 0, shared: 0, other: 0 };
  const stacks = stackPointers(procDir);
  const heapEnd = mappings.find(({ path }) => path === '[heap]')?.end ?? 0;
  const libraries = mappings.filter(({ path, start }) => /\.so(\.|$)/.test(path) && start > heapEnd);
  const fromLibraries = (libraries[0] ?? mappings.find(({ path }) => path === '[stack]'))?.start ?? 0;
  let arenas = 0;
  mappings.forEach((mapping, index) => {
    const part = partOf(mapping, mappings[index - 1], mappings[index + 1], stacks, fromLibraries - libraryRoom);
    if (part === 'arenas') arenas++;
    sums[part] += mapping.rssBytes;
  });
  return {
    totalBytes: mappings.reduce((sum, { rssBytes }) => sum + rssBytes, 0),
    v8HeapBytes: sums.v8Heap,
    v8CodeBytes: sums.v8Code,
    mainHeapBytes: sums.mainHeap,
    arenasBytes: sums.arenas,
    largeBytes: sums.large,
    stacksBytes: sums.stacks,
    filesBytes: sums.files,
    sharedBytes: sums.shared,
    otherBytes: sums.other,
    arenas,
    allocator: allocatorOf(mappings),
    arenaMax: arenaMaxOf(procDir),
  };
}

type Part = 'v8Heap' | 'v8Code' | 'mainHeap' | 'arenas' | 'large' | 'stacks' | 'files' | 'shared' | 'other';

function partOf(
  mapping: Resident,
  before: Mapping | undefined,
  after: Mapping | undefined,
  stacks: readonly number[],
  librariesFrom: number,
): Part {
  const { start, end, path, permissions } = mapping;
  if (path === '[heap]') return 'mainHeap';
  if (path.startsWith('[stack') || stacks.some((pointer) => pointer >= start && pointer < end)) return 'stacks';
  if (/^\/(?:dev\/(?:shm|zero)|memfd:|SYSV)/.test(path) || permissions.endsWith('s'))
    return path.startsWith('/') && permissions.endsWith('s') && !/^\/(?:dev\/|memfd:|SYSV)/.test(path)
      ? 'files'
      : 'shared';
  if (path.startsWith('/')) return 'files';
  if (path !== '' && !path.startsWith('[anon')) return 'other';
  if (permissions.includes('x')) return 'v8Code';
  // variables of an executable or library that begin as zero
  if (before?.end === start && before.path.startsWith('/')) return 'files';
  if (start < librariesFrom) return start % v8Page === 0 ? 'v8Heap' : 'other';
  if (
    start % arenaSize === 0 &&
    (end - start === arenaSize || (after?.start === end && after.permissions.startsWith('---')))
  )
    return 'arenas';
  const guarded =
    before?.end === start && before.permissions.startsWith('---') && before.end - before.start <= guardBytes;
  return guarded ? 'stacks' : 'large';
}

function readSmaps(procDir: string): Resident[] | null {
  const text = readText(`${procDir}/smaps`);
  if (!text) return null;
  const mappings: Resident[] = [];
  for (const line of text.split('\n')) {
    const mapping = /^[0-9a-f]+-/.test(line) ? parseMapping(line) : undefined;
    if (mapping) mappings.push({ ...mapping, rssBytes: 0 });
    else if (line.startsWith('Rss:')) mappings.at(-1)!.rssBytes = Number.parseInt(line.slice(4), 10) * 1024;
  }
  return mappings;
}

/** Where the stacks of waiting threads are, as far as the kernel shows it. */
function stackPointers(procDir: string): number[] {
  return (readThreads(procDir, 256) ?? []).flatMap(({ tid }) => {
    const pointer = readThreadCall(procDir, tid)?.stack;
    return pointer === undefined ? [] : [Number(pointer)];
  });
}

function allocatorOf(mappings: readonly Mapping[]): Allocator | null {
  const files = mappings.map(({ path }) => path);
  const has = (pattern: RegExp) => files.some((path) => pattern.test(path));
  if (has(/\/libjemalloc/)) return 'jemalloc';
  if (has(/\/libtcmalloc/)) return 'tcmalloc';
  if (has(/\/libmimalloc/)) return 'mimalloc';
  if (has(/\/ld-musl|\/libc\.musl/)) return 'musl';
  return has(/\/libc[.-]/) ? 'glibc' : null;
}

function arenaMaxOf(procDir: string): string | null {
  const entries = (readText(`${procDir}/environ`) ?? '').split('\0');
  const of = (name: string) => entries.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1);
  return of('MALLOC_ARENA_MAX') ?? /glibc\.malloc\.arena_max=(\d+)/.exec(of('GLIBC_TUNABLES') ?? '')?.[1] ?? null;
}
