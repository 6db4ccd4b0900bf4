/** The memory map of a process. */
import { readText } from './files.ts';

export interface Mapping {
  readonly start: number;
  readonly end: number;
  /** As the kernel writes them: `rw-p`. */
  readonly permissions: string;
  /** A file's path, a name such as `[heap]`, or `` for anonymous memory. */
  readonly path: string;
}

const line = /^([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ \S+ *(.*)$/;

/** Undefined for a line that begins no mapping. Addresses of user space are below 2^48: a number holds them. */
export function parseMapping(text: string): Mapping | undefined {
  const parts = line.exec(text);
  if (!parts) return undefined;
  const [, start, end, permissions, path] = parts as unknown as [string, string, string, string, string];
  return { start: Number.parseInt(start, 16), end: Number.parseInt(end, 16), permissions, path };
}

/** In the order of addresses; null where they may not be read. */
export function readMaps(procDir: string): Mapping[] | null {
  const text = readText(`${procDir}/maps`);
  if (!text) return null;
  return text.split('\n').flatMap((entry) => parseMapping(entry) ?? []);
}

/** Whether an address is a variable of the executable or of a library, not on a heap or stack: in a file's mapping, or in the zeroed part behind it. */
export function isStatic(maps: readonly Mapping[], address: number): boolean {
  const index = maps.findIndex(({ start, end }) => address >= start && address < end);
  const found = maps[index];
  if (!found) return false;
  if (found.path !== '') return found.path.startsWith('/');
  const before = maps[index - 1];
  return before !== undefined && before.end === found.start && before.path.startsWith('/');
}
