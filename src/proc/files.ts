import { readFile, readlink } from 'node:fs/promises';

/** What the kernel says in one of its files, or null where it does not: another system, no permission, the process ended. */
export async function readKernel(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch(() => null);
}

export async function readLink(path: string): Promise<string | null> {
  return readlink(path).catch(() => null);
}
