/** `--output FILE|DIR|-`: checked before anything is asked of a process, so that a capture is not taken in vain. */
import { constants } from 'node:fs';
import { access, lstat, stat, statfs } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { NodeopsError } from '../../protocol/errors.ts';
import { makeDirectory } from '../../protocol/make-directory.ts';
import { localFailure } from './local-failure.ts';
import type { FileName } from './part-file.ts';

export type Destination =
  | { readonly kind: 'stdout' }
  /** Files named after their process. */
  | { readonly kind: 'directory'; readonly directory: string }
  | { readonly kind: 'file'; readonly name: FileName; readonly overwrite: boolean };

export interface DestinationOptions {
  /** Artifacts to come; more than one go into a directory. */
  readonly count: number;
  readonly overwrite: boolean;
}

/** Throws `usage` for what cannot be meant, `local-file` for what cannot be written. */
export async function chooseDestination(
  output: string | undefined,
  { count, overwrite }: DestinationOptions,
): Promise<Destination> {
  if (output === '-') {
    if (count > 1)
      throw new NodeopsError('usage', `--output - takes one artifact, and ${count} processes are asked`, {
        hint: 'name a directory',
      });
    return { kind: 'stdout' };
  }
  if (output === '') throw new NodeopsError('usage', '--output is empty; it takes FILE, DIR or -');
  const path = resolve(output ?? '.');
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) return { kind: 'directory', directory: await writable(path) };
  if (/[\\/]$/.test(output ?? '') && (sep === '\\' || output!.endsWith('/')))
    throw localFailure(join(path, anyFile), { code: found ? 'ENOTDIR' : 'ENOENT' });
  if (count > 1)
    throw new NodeopsError('usage', `--output ${output} is no directory, and ${count} processes are asked`, {
      hint: `mkdir ${output}`,
    });
  const there = found ?? (await lstat(path).catch(() => undefined));
  if (there && !there.isFile() && !there.isSymbolicLink())
    throw new NodeopsError('local-file', `cannot write ${path}: it is no regular file`, { hint: 'use --output -' });
  if (there && !overwrite) throw localFailure(path, { code: 'EEXIST' });
  const directory = await writable(dirname(path));
  return { kind: 'file', name: fileName(directory, basename(path)), overwrite };
}

/** A directory for files that get their names later, made if it is not there. Throws `local-file`. */
export async function makeWritable(path: string): Promise<string> {
  const directory = resolve(path);
  try {
    makeDirectory(directory, 0o777);
  } catch (cause) {
    throw new NodeopsError('local-file', `cannot make the directory ${directory}: ${(cause as Error).message}`, {
      cause,
      hint: 'name another place',
    });
  }
  return writable(directory);
}

/** Stands in messages for a file whose name is not made yet. */
const anyFile = '*';

/** `cpu.pb.gz` is a stem and `.pb.gz`, so that a number goes before all of its extension. */
function fileName(directory: string, name: string): FileName {
  const [, stem, extension] = /^(.+?)((?:\.[A-Za-z]\w{0,15}){0,2})$/.exec(name)!;
  return { directory, stem: stem!, extension: extension! };
}

async function writable(directory: string): Promise<string> {
  const file = join(directory, anyFile);
  const found = await stat(directory).catch((error) => {
    throw localFailure(file, error);
  });
  if (!found.isDirectory()) throw localFailure(file, { code: 'ENOTDIR' });
  await access(directory, constants.W_OK | constants.X_OK).catch((error) => {
    throw localFailure(file, error);
  });
  const room = await statfs(directory).catch(() => undefined);
  // some file systems tell no size at all
  if (room && room.blocks > 0 && room.bavail === 0) throw localFailure(file, { code: 'ENOSPC' });
  return directory;
}
