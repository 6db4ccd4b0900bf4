/** References in large arrays and tables, counted in a sample of the process's memory: V8 tells their bytes only, and large strings are among these. */
import { closeSync, openSync, readSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { readText } from '../../proc/files.ts';

const pageBytes = 4096;
const samples = 2_000;
/** Read at once, before the worker's other answers have their turn. */
const samplesAtOnce = 250;

/** Words that look like references of V8, in all of the process's writable memory. */
export interface References {
  readonly words: number;
  /** Those in the area with most: V8 gives every large object an area of its own, so that a single array or table has no more. */
  readonly largestWords: number;
}

/** Null where memory cannot be read: another system, or no right to it. */
export async function countReferences(procDir: string): Promise<References | null> {
  const areas = writableAreas(readText(`${procDir}/maps`) ?? '');
  const pages = areas.reduce((sum, { start, end }) => sum + (end - start) / pageBytes, 0);
  if (pages === 0) return null;
  let memory: number;
  try {
    memory = openSync(`${procDir}/mem`, 'r');
  } catch {
    return null;
  }
  try {
    const looksLike = referencesOf(areas);
    const step = Math.max(1, Math.floor(pages / samples));
    const bytes = Buffer.alloc(pageBytes);
    let [words, largestWords, sampled, next] = [0, 0, 0, 0];
    for (const { start, end } of areas) {
      const count = (end - start) / pageBytes;
      let here = 0;
      for (; next < count; next += step) {
        if (++sampled % samplesAtOnce === 0) await turn();
        if (!readPage(memory, bytes, start + next * pageBytes)) continue;
        here += looksLike(bytes) * step;
      }
      words += here;
      largestWords = Math.max(largestWords, here);
      next -= count;
    }
    return { words, largestWords };
  } finally {
    closeSync(memory);
  }
}

interface Area {
  readonly start: number;
  readonly end: number;
}

export function writableAreas(maps: string): Area[] {
  return [...maps.matchAll(/^([0-9a-f]+)-([0-9a-f]+) rw-p 0+ 00:00 0\s*(\S*)$/gm)].flatMap(([, start, end, name]) =>
    name!.startsWith('[stack') ? [] : [{ start: Number.parseInt(start!, 16), end: Number.parseInt(end!, 16) }],
  );
}

/** A tagged pointer is odd, and points to where the process has memory. */
function referencesOf(areas: readonly Area[]): (page: Buffer) => number {
  const highs = new Set<number>();
  for (const { start, end } of areas)
    for (let high = Math.floor(start / 2 ** 32); high <= Math.floor(end / 2 ** 32); high++) highs.add(high);
  return (page) => {
    let found = 0;
    for (let at = 0; at < pageBytes; at += 8)
      if ((page[at]! & 1) === 1 && highs.has(page.readUInt32LE(at + 4))) found++;
    return found;
  };
}

function readPage(memory: number, bytes: Buffer, position: number): boolean {
  try {
    return readSync(memory, bytes, 0, pageBytes, position) === pageBytes;
  } catch {
    // unmapped meanwhile
    return false;
  }
}
