/** A file that appears under its name only when it is whole: until then it is `NAME.part`. */
import { constants, type FileHandle, link, open, rename, statfs, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { NodeopsError } from '../../protocol/errors.ts';
import { bytesShort } from '../../protocol/text/quantities.ts';
import { localFailure } from './local-failure.ts';
import { type Sink, Tally } from './sink.ts';

/** `STEM.EXTENSION` in a directory; the parts are apart because a number goes between them. */
export interface FileName {
  readonly directory: string;
  readonly stem: string;
  /** With its dot, or empty. */
  readonly extension: string;
}

/** Names tried with a number before giving up. */
const limitNumbers = 1_000;
// absent on Windows, where O_EXCL alone does it
const noFollow = constants.O_NOFOLLOW ?? 0;

/** The n-th choice of a name: the name itself, then `STEM-2.EXTENSION`. */
export function numbered({ directory, stem, extension }: FileName, n: number): string {
  return join(directory, `${stem}${n > 1 ? `-${n}` : ''}${extension}`);
}

export class PartFile implements Sink {
  readonly name: FileName;
  /** Where the bytes are until `keep`. */
  readonly path: string;
  readonly #handle: FileHandle;
  #tally = new Tally();
  #closed = false;
  #kept = false;

  private constructor(name: FileName, path: string, handle: FileHandle) {
    this.name = name;
    this.path = path;
    this.#handle = handle;
  }

  /** Creates `NAME.part`, readable by its owner only and never through a symbolic link. Throws `local-file`. */
  static async create(name: FileName): Promise<PartFile> {
    for (let n = 1; ; n++) {
      const path = `${numbered(name, n)}.part`;
      try {
        const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | noFollow;
        return new PartFile(name, path, await open(path, flags, 0o600));
      } catch (error) {
        // another capture, or what is left of one that was killed
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || n >= limitNumbers) throw localFailure(path, error);
      }
    }
  }

  get bytes(): number {
    return this.#tally.bytes;
  }
  sha256(): string {
    return this.#tally.sha256();
  }

  async write(chunk: Uint8Array): Promise<void> {
    try {
      for (let done = 0; done < chunk.length; ) {
        const { bytesWritten } = await this.#handle.write(chunk, done, chunk.length - done, this.bytes + done);
        done += bytesWritten;
      }
    } catch (error) {
      throw localFailure(this.path, error);
    }
    this.#tally.add(chunk);
  }

  /** Throws `local-file` when the device has not that much room left. */
  async reserve(bytes: number): Promise<void> {
    const { bavail, bsize } = await statfs(dirname(this.path)).catch(() => ({ bavail: Number.NaN, bsize: 1 }));
    const free = bavail * bsize;
    if (free < bytes)
      throw new NodeopsError(
        'local-file',
        `cannot write ${this.path}: it takes ${bytesShort(bytes)}, and ${bytesShort(free)} are free on the device`,
        { hint: 'make room, or name another place with --output', detail: { path: this.path, bytes, free } },
      );
  }

  async content(): Promise<Uint8Array> {
    const bytes = Buffer.alloc(this.bytes);
    for (let done = 0; done < bytes.length; ) {
      const { bytesRead } = await this.#handle.read(bytes, done, bytes.length - done, done);
      if (bytesRead === 0) throw localFailure(this.path, new Error('it became shorter'));
      done += bytesRead;
    }
    return bytes;
  }

  /** Puts other content in place of what was taken. */
  async replace(bytes: Uint8Array): Promise<void> {
    await this.#handle.truncate(0).catch((error) => {
      throw localFailure(this.path, error);
    });
    this.#tally = new Tally();
    await this.write(bytes);
  }

  /**
   * Gives the whole file its name and returns the path. What exists is replaced only with `overwrite`; else the name gets a
   * number. Throws `local-file`.
   */
  async keep({ overwrite = false, as = this.name }: { overwrite?: boolean; as?: FileName } = {}): Promise<string> {
    try {
      await this.#handle.sync();
      await this.#close();
      const path = overwrite ? numbered(as, 1) : await this.#link(as);
      if (overwrite) await rename(this.path, path);
      this.#kept = true;
      await syncDirectory(as.directory);
      return path;
    } catch (error) {
      throw localFailure(numbered(as, 1), error);
    }
  }

  /** Removes it unless it was kept. */
  async discard(): Promise<void> {
    await this.#close();
    if (!this.#kept) await unlink(this.path).catch(() => {});
  }

  /** A hard link fails where the name is taken, which a rename would not. */
  async #link(as: FileName): Promise<string> {
    for (let n = 1; ; n++) {
      const path = numbered(as, n);
      try {
        await link(this.path, path);
        await unlink(this.path);
        return path;
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'EEXIST' && n < limitNumbers) continue;
        if (code === 'EEXIST' || !noHardLinks.has(code ?? '')) throw error;
        const taken = await open(path, 'wx', 0o600).catch((reason: NodeJS.ErrnoException) => reason);
        if (taken instanceof Error && taken.code === 'EEXIST' && n < limitNumbers) continue;
        if (taken instanceof Error) throw taken;
        await taken.close();
        await rename(this.path, path);
        return path;
      }
    }
  }

  async #close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#handle.close();
  }
}

/** As FAT, SMB and some FUSE file systems answer `link`. */
const noHardLinks = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/** The name survives a power cut; not every system can. */
async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r').catch(() => undefined);
  await handle?.sync().catch(() => {});
  await handle?.close();
}
