import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a directory and those above it, by default for its owner alone. Throws what the file system throws.
 * Not mkdir's own `recursive`: it tries for ever where a parent is there and nothing can be made in it, as in /proc.
 */
export function makeDirectory(path: string, mode = 0o700): void {
  const make = (): NodeJS.ErrnoException | undefined => {
    try {
      mkdirSync(path, { mode });
    } catch (error) {
      // it was there, or somebody else was faster
      if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return error as NodeJS.ErrnoException;
    }
    return undefined;
  };
  const problem = make();
  if (!problem) return;
  if (problem.code !== 'ENOENT' || dirname(path) === path) throw problem;
  makeDirectory(dirname(path), mode);
  const last = make();
  if (last) throw last;
}
