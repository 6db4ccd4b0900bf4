/** Archives with the same bytes for the same content: entries in the order given, of one date, of nobody. */
import { readFile, stat, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { constants, gzip, zstdCompress } from 'node:zlib';
import { zip } from 'fflate';
import { pack } from 'tar-stream';

export interface Entry {
  /** Path in the archive. */
  readonly name: string;
  readonly content: Buffer;
  /** @default false */
  readonly executable?: boolean;
}

/** How hard to compress: `quick` is for tests. */
export type Effort = 'best' | 'quick';

export async function fileEntry(name: string, path: string): Promise<Entry> {
  return { name, content: await readFile(path), executable: ((await stat(path)).mode & 0o100) !== 0 };
}

export async function tar(entries: readonly Entry[], date: Date): Promise<Buffer> {
  const packer = pack();
  for (const { name, content, executable } of entries) {
    const header = {
      name,
      mode: executable ? 0o755 : 0o644,
      mtime: date,
      uid: 0,
      gid: 0,
      uname: 'root',
      gname: 'root',
    };
    packer.entry(header, content);
  }
  packer.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of packer) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

export function gzipped(content: Buffer, effort: Effort): Promise<Buffer> {
  return promisify(gzip)(content, { level: effort === 'best' ? 9 : 1 });
}

/** 128 MiB: what `zstd -d` and `tar --zstd` read without an option. */
const windowLog = 27;

export function zstandard(content: Buffer, effort: Effort): Promise<Buffer> {
  const params =
    effort === 'best'
      ? { [constants.ZSTD_c_compressionLevel]: 19, [constants.ZSTD_c_windowLog]: windowLog }
      : { [constants.ZSTD_c_compressionLevel]: 1 };
  return promisify(zstdCompress)(content, { params: { ...params, [constants.ZSTD_c_checksumFlag]: 1 } });
}

export async function zipped(entries: readonly Entry[], date: Date, effort: Effort): Promise<Buffer> {
  // a zip has local times without a zone: everyone's is UTC's
  const mtime = new Date(date.getTime() + date.getTimezoneOffset() * 60_000);
  const files = entries.map(({ name, content, executable }) => [
    name,
    [content, { mtime, os: 3, attrs: (executable ? 0o755 : 0o644) << 16, level: effort === 'best' ? 9 : 1 }],
  ]);
  return Buffer.from(await promisify(zip)(Object.fromEntries(files)));
}

export async function writeArchives(
  base: string,
  kinds: readonly ('tar.gz' | 'tar.zst' | 'zip')[],
  entries: readonly Entry[],
  { date, effort }: { readonly date: Date; readonly effort: Effort },
): Promise<void> {
  const tarred = kinds.some((kind) => kind !== 'zip') ? await tar(entries, date) : Buffer.alloc(0);
  const content = {
    'tar.gz': () => gzipped(tarred, effort),
    'tar.zst': () => zstandard(tarred, effort),
    zip: () => zipped(entries, date, effort),
  };
  await Promise.all(kinds.map(async (kind) => writeFile(`${base}.${kind}`, await content[kind]())));
}
