import { join } from 'node:path';
import { NodeopsError } from '../../../protocol/errors.ts';
import type { KeptArtifact } from '../../../protocol/history.ts';
import { safePart } from '../../captures/filename.ts';
import { PartFile } from '../../captures/part-file.ts';
import type { Io } from '../../io.ts';
import { fetchKept, type Store } from './kept.ts';

/** Fetched into memory to be read; what triggers captured is only saved. */
const readableBytes = 64 * 1024 * 1024;

/** Saves a kept file in a directory under its own name, and returns its path. */
export async function saveKept(store: Store, file: KeptArtifact, directory: string, io: Io): Promise<string> {
  const [, folder, stem, extension] = /^(\w+)\/(.+?)((?:\.[A-Za-z]\w{0,15}){0,2})$/.exec(file.name) ?? [];
  if (folder === undefined) throw new NodeopsError('failed', `the agent told of an artifact without a name`);
  const part = await PartFile.create({
    directory,
    stem: `${safePart(folder)}-${safePart(stem!)}`,
    extension: extension!,
  });
  try {
    await fetchKept(store, file, part, io);
    return await part.keep();
  } finally {
    await part.discard();
  }
}

/** Whether a file is a crash record that can be read here. */
export function isRecord({ name, bytes }: KeptArtifact): boolean {
  return name.startsWith('crash/') && /(?<!\.report)\.json$/.test(name) && bytes <= readableBytes;
}

export function defaultDirectory(stem: string): string {
  return join('.', `${stem}.postmortem`);
}
