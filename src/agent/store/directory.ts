/** A directory of our own for artifacts, under one that may belong to everybody. */
import { chmodSync, lstatSync, mkdirSync, readdirSync, statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirectory } from '../../protocol/make-directory.ts';
import { isRunning, ownPrefix } from './owner.ts';

/** Files of processes that cannot be seen from here (another container's, on a shared volume) are left over after this. */
const foreignMs = 2 * 3_600_000;

/**
 * Creates `BASE/nodeops-UID`, or takes it if it is a directory of ours, no link, and closed to others.
 * Throws what the file system throws, or an Error that says what is wrong with it.
 */
export function openDirectory(base: string): string {
  const uid = process.getuid?.();
  const directory = join(base, `nodeops-${uid ?? 'user'}`);
  makeDirectory(base);
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const found = lstatSync(directory);
  if (!found.isDirectory()) throw new Error(`${directory} is not a directory`);
  if (uid === undefined) return directory;
  if (found.uid !== uid) throw new Error(`${directory} belongs to user ${found.uid}`);
  if ((found.mode & 0o077) !== 0) chmodSync(directory, 0o700);
  return directory;
}

/** Removes what processes left behind that ended without a chance to. Never throws. */
export function removeLeftovers(directory: string): void {
  removeWhere(directory, (name, path) => {
    if (!isCapture(name)) return false;
    return !(isRunning(name) ?? Date.now() - statSync(path).mtimeMs <= foreignMs);
  });
}

/** Whether a file of that name is a capture's, under way or whole. */
export function isCapture(name: string): boolean {
  return /^\w+-\d+-\d+-/.test(name);
}

/** Removes every artifact of this process: for when it exits. Never throws. */
export function removeOwnArtifacts(base: string): void {
  const prefix = ownPrefix();
  removeWhere(join(base, `nodeops-${process.getuid?.() ?? 'user'}`), (name) => name.startsWith(prefix));
}

function removeWhere(directory: string, unwanted: (name: string, path: string) => boolean): void {
  try {
    for (const name of readdirSync(directory)) {
      const path = join(directory, name);
      if (unwanted(name, path)) unlinkSync(path);
    }
  } catch {
    // not there, not readable, or somebody else was faster: it is tried again by the next one
  }
}
