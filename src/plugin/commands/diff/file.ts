/** A saved profile, as one side of a comparison. */
import { readFile, stat } from 'node:fs/promises';
import type { Profile } from '../../../formats/model.ts';
import { asNodeopsError, NodeopsError } from '../../../protocol/errors.ts';
import { captureLimits } from '../../captures/limits.ts';
import type { Io } from '../../io.ts';
import { kindOf } from '../view/kind.ts';

/** Throws `local-file`, `too-large`, and `usage` for what is no profile. */
export async function readProfileFile(path: string, sourceDirectory: string | undefined, io: Io): Promise<Profile> {
  const kind = await kindOf(path);
  if (kind !== 'profile')
    throw new NodeopsError('usage', `${path} is a ${kind}, and profiles are compared`, {
      hint: 'name a .pb.gz, .cpuprofile or .heapprofile file',
    });
  const { size } = await stat(path);
  if (size > captureLimits.profileBytes)
    throw new NodeopsError(
      'too-large',
      `${path} has ${size} bytes; profiles up to ${captureLimits.profileBytes} are read`,
    );
  const { readProfile } = await import('../../../formats/read.ts');
  const options = sourceDirectory === undefined ? {} : { sourceMaps: await mapsIn(sourceDirectory, io) };
  try {
    return readProfile(await readFile(path), options);
  } catch (error) {
    const { code, message, hint } = asNodeopsError(error);
    throw new NodeopsError(code, `${path}: ${message}`, { cause: error, ...(hint === undefined ? {} : { hint }) });
  }
}

async function mapsIn(directory: string, io: Io) {
  const { sourceMapDir } = await import('../../../formats/source-map-dir.ts');
  return sourceMapDir(directory, { onProblem: ({ message }) => io.stderr.write(`note: ${message}\n`) });
}
