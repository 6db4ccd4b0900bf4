/** Which Node an executable holds, without running it. */
import type { FileHandle } from 'node:fs/promises';
import { readAt, readSegments } from './elf.ts';

/** Every Node binary names itself so towards DevTools, a distribution's and a single executable too. */
const marker = 'node.js/v';
const chunkBytes = 1024 * 1024;
/** What is looked through of one file. */
const limitBytes = 512 * 1024 * 1024;

/** Such as `v24.21.0`, or undefined when it is no Node. Reads the constants first, where the name is found within some MiB. */
export async function nodeVersionOf(file: FileHandle): Promise<string | undefined> {
  const segments = (await readSegments(file)).filter(({ writable }) => !writable);
  const constants = [...segments].sort((a, b) => Number(a.executable) - Number(b.executable) || b.size - a.size);
  const ranges = constants.length > 0 ? constants : [{ offset: 0, size: (await file.stat()).size }];
  for (const { offset, size } of ranges) {
    const version = await scan(file, offset, Math.min(size, limitBytes));
    if (version) return version;
  }
  return undefined;
}

async function scan(file: FileHandle, offset: number, size: number): Promise<string | undefined> {
  for (let at = 0; at < size; at += chunkBytes) {
    // the next chunk's first bytes too: a name may lie across the border
    const bytes = await readAt(file, offset + at, Math.min(chunkBytes + 64, size - at));
    for (let found = bytes.indexOf(marker); found >= 0; found = bytes.indexOf(marker, found + 1)) {
      const [, version] =
        /^node\.js\/(v\d+\.\d+\.\d+(?:-[\w.]+)?)\0/.exec(bytes.toString('latin1', found, found + 64)) ?? [];
      if (version) return version;
    }
  }
  return undefined;
}
