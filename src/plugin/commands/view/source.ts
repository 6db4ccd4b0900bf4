import { readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { SourceLookup } from '../../../formats/summary/list.ts';

const limitBytes = 16 * 1024 * 1024;

/**
 * Sources for `list`, from this machine: the path itself, or the longest tail of it (two parts at least) below the directory,
 * since a pod's `/app/src/server.js` is mostly `src/server.js` here.
 */
export function localSources(directory: string): SourceLookup {
  return (file) => {
    try {
      return find(file, directory);
    } catch {
      // a name that no file can have, or one that may not be read: its source is not at hand
      return undefined;
    }
  };
}

function find(file: string, directory: string): string | undefined {
  if (/^(?!file:)[a-z][\w+.-]+:/i.test(file)) return undefined;
  const path = decodeURI(file.replace(/^file:\/\//, ''));
  const parts = path.split(/[\\/]/).filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) return undefined;
  const tails = parts.map((_, i) => parts.slice(i)).filter((tail) => tail.length >= 2);
  const candidates = [
    ...(path.startsWith('/') ? [path] : []),
    ...tails.map((tail) => join(resolve(directory), ...tail)),
  ];
  for (const candidate of candidates) {
    const found = statSync(candidate, { throwIfNoEntry: false });
    if (found?.isFile() && found.size <= limitBytes) return readFileSync(candidate, 'utf8');
  }
  return undefined;
}
