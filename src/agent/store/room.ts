/**
 * What the files of some folders take together, and how more gets room: the oldest that may go goes first. Strict, what is being
 * written included: a file is as long as it may become before a byte is written, and grows in turn (turn.ts) only.
 */
import { lstatSync, readdirSync, statfsSync, truncateSync, unlinkSync } from 'node:fs';
import { basename, join } from 'node:path';

export interface StoredFile {
  readonly path: string;
  readonly name: string;
  /** On disk, or reserved. */
  readonly bytes: number;
  readonly modifiedMs: number;
}

const blockBytes = 4_096;
/** What is left to the app of a disk that it shares with us: this much, or a twentieth of a small one. */
const reserveBytes = 64 * 1024 * 1024;

/** Bytes of a disk that a file of that length takes. */
export function onDisk(bytes: number): number {
  return Math.ceil(bytes / blockBytes) * blockBytes;
}

/** The files in these folders, the oldest first. Throws where one cannot be read. */
export function filesIn(folders: readonly string[]): StoredFile[] {
  return folders
    .flatMap((folder) => readdirSync(folder).flatMap((name) => look(join(folder, name)) ?? []))
    .sort((one, other) => one.modifiedMs - other.modifiedMs || one.path.localeCompare(other.path));
}

export interface Wanted {
  readonly folders: readonly string[];
  readonly limitBytes: number;
  /** More than there are now. */
  readonly bytes: number;
  /** Whether a file may be removed for it. */
  mayGo(file: StoredFile): boolean;
  remove?(file: StoredFile): void;
  /** Files that there may be, the new one included. */
  readonly files?: number;
}

/** What there is of room after the oldest files that may go have gone for what is wanted; less than wanted where they are not enough. In turn. */
export function makeRoom({
  folders,
  limitBytes,
  bytes,
  mayGo,
  remove,
  files = Number.POSITIVE_INFINITY,
}: Wanted): number {
  const all = filesIn(folders);
  let used = all.reduce((sum, file) => sum + file.bytes, 0);
  let count = all.length;
  const free = () => Math.min(limitBytes - used, freeOnDisk(folders[0]!));
  for (const file of all) {
    if (free() >= bytes && count < files) break;
    if (!mayGo(file)) continue;
    if (remove) remove(file);
    else discard(file.path);
    used -= file.bytes;
    count--;
  }
  return Math.max(0, free());
}

/** What a disk has beyond what is left to the app. */
export function freeOnDisk(directory: string): number {
  const { bavail, blocks, bsize } = statfsSync(directory);
  return bavail * bsize - Math.min(reserveBytes, (blocks * bsize) / 20);
}

/** Removes a file, and gives back its space at once, though somebody may still read it. Never throws. */
export function discard(path: string): void {
  for (const act of [truncateSync, unlinkSync]) {
    try {
      act(path);
    } catch {
      // gone already
    }
  }
}

function look(path: string): StoredFile | undefined {
  try {
    const found = lstatSync(path);
    if (!found.isFile()) return undefined;
    // blocks: more than the length with some file systems, less in a file that is being written
    const bytes = Math.max(onDisk(found.size), (found.blocks ?? 0) * 512);
    return { path, name: basename(path), bytes, modifiedMs: found.mtimeMs };
  } catch {
    // removed by somebody else meanwhile
    return undefined;
  }
}
