/** A saved bundle, read without unpacking it: nothing of it is ever written to disk. */
import { createReadStream } from 'node:fs';
import { access } from 'node:fs/promises';
import { PassThrough, type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { NodeopsError } from '../../../protocol/errors.ts';
import { bytesShort } from '../../../protocol/text/quantities.ts';
import type { Manifest } from './contents.ts';

/** Entries of a bundle that is read. */
const limitEntries = 20_000;
/** Bytes of its manifest. */
const limitManifest = 32 * 1024 * 1024;
/** Bytes of all of it, unpacked: those of a thousand busy processes, and of no file that was made to unpack without end. */
const limitUnpacked = 2 * 1024 ** 3;

export interface ReadOptions {
  /** Of the whole bundle, unpacked. @default 2147483648 */
  readonly limitBytes?: number;
}

/** Calls `take` with the named entry, if there is one. Throws `local-file` for what is no bundle. */
export async function withEntry<T>(
  path: string,
  wanted: string,
  take: (content: Readable, size: number) => Promise<T>,
  { limitBytes = limitUnpacked }: ReadOptions = {},
): Promise<{ found: T } | undefined> {
  await access(path).catch((cause: Error) => {
    throw new NodeopsError('local-file', `cannot read ${path}: ${cause.message}`, { cause });
  });
  const unpack = extract();
  const reading = pipeline(createReadStream(path), createGunzip(), upTo(limitBytes), unpack);
  reading.catch(() => {});
  let entries = 0;
  try {
    for await (const entry of unpack) {
      if (++entries > limitEntries) throw new Error(`it has more than ${limitEntries} entries`);
      const { name, type, size = 0 } = entry.header;
      // the folder that everything is in
      if (type === 'file' && name.slice(name.indexOf('/') + 1) === wanted) {
        const content = new PassThrough();
        const piped = pipeline(entry, content);
        const [found] = await Promise.all([take(content, size), piped]);
        return { found };
      }
      entry.resume();
    }
    return undefined;
  } catch (cause) {
    if (cause instanceof NodeopsError) throw cause;
    throw new NodeopsError('local-file', `${path} is no bundle: ${(cause as Error).message}`, { cause });
  } finally {
    unpack.destroy();
  }
}

/** Passes so many bytes on and fails with the next. */
function upTo(limitBytes: number): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _, done) {
      bytes += chunk.length;
      if (bytes > limitBytes) done(new Error(`it unpacks to more than ${bytesShort(limitBytes)}`));
      else done(null, chunk);
    },
  });
}

/** Throws `local-file` for what is no bundle. */
export async function readManifest(path: string, options?: ReadOptions): Promise<Manifest> {
  const collect = async (content: Readable, size: number): Promise<Manifest> => {
    if (size > limitManifest) throw new Error('its manifest is too large');
    const chunks: Buffer[] = [];
    for await (const chunk of content) chunks.push(chunk as Buffer);
    return JSON.parse(Buffer.concat(chunks).toString());
  };
  const read = await withEntry(path, 'manifest.json', collect, options);
  if (read?.found?.kind !== 'Bundle')
    throw new NodeopsError('local-file', `${path} is no bundle: it has no manifest of one`);
  if (isManifest(read.found)) return read.found;
  throw new NodeopsError('local-file', `${path} is no bundle: its manifest makes no sense`);
}

/** A bundle may come from anywhere. */
function isManifest({ at, pluginVersion, subjects }: Partial<Manifest>): boolean {
  const texts = (of: unknown, ...keys: string[]) =>
    typeof of === 'object' &&
    of !== null &&
    keys.every((key) => typeof (of as Record<string, unknown>)[key] === 'string');
  const all = <T>(list: readonly T[] | undefined, fits: (one: T) => boolean) => Array.isArray(list) && list.every(fits);
  return (
    typeof at === 'string' &&
    (pluginVersion === null || typeof pluginVersion === 'string') &&
    all(
      subjects,
      (one) =>
        texts(one, 'kind', 'name') &&
        all(one.files, (file) => texts(file, 'what', 'path') && Number.isFinite(file.bytes)) &&
        all(one.missing, (entry) => texts(entry, 'what', 'reason')),
    )
  );
}
