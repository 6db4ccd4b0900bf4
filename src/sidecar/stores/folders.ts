/**
 * Folders that others write to, read without following a link of theirs: every step goes from the folder before it, which is held
 * open (`/proc/self/fd/N/NAME`), so that nothing can be put in its place meanwhile.
 */
import { closeSync, constants, type Dirent, opendirSync, openSync } from 'node:fs';

/** Entries of any folder that are read, whatever was put there. */
const entriesRead = 10_000;
const { O_RDONLY, O_DIRECTORY = 0, O_NOFOLLOW = 0 } = constants;

/** What `act` makes of a folder, which is closed afterwards; its path is good until then. */
export function within<T>(base: string, names: readonly string[], act: (path: string) => T): T {
  // the base was named by whoever set up the pod, and may be a link
  let folder = openSync(base, O_RDONLY | O_DIRECTORY);
  try {
    for (const name of names) {
      const next = openFolder(`/proc/self/fd/${folder}/${name}`);
      closeSync(folder);
      folder = next;
    }
    return act(`/proc/self/fd/${folder}`);
  } finally {
    closeSync(folder);
  }
}

/** Throws ELOOP or ENOTDIR for a link. */
export function openFolder(path: string): number {
  return openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

/** Names of the entries that `is` wanted, sorted. */
export function namesIn(path: string, is: (entry: Dirent) => boolean): string[] {
  const names: string[] = [];
  const directory = opendirSync(path);
  try {
    for (let read = 0; read < entriesRead; read++) {
      const entry = directory.readSync();
      if (!entry) break;
      if (is(entry)) names.push(entry.name);
    }
  } finally {
    directory.closeSync();
  }
  return names.sort();
}

export function noteUnlessGone(notes: string[], where: string, error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') notes.push(unreadable(where, error));
}

export function unreadable(where: string, error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ELOOP' || code === 'ENOTDIR') return `${where} is no directory of an agent's: it is left alone`;
  return `${where} cannot be read or changed (${code ?? message})`;
}
