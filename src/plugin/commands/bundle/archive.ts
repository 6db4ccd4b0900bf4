/** A `.tar.gz` that is written as its parts come: no more of it is in memory than one part. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { pack } from 'tar-stream';
import type { Sink } from '../../captures/sink.ts';

export class Archive {
  readonly #pack = pack();
  readonly #root: string;
  readonly #mtime: Date;
  readonly #written: Promise<void>;
  #turn: Promise<void> = Promise.resolve();

  /** `root` is the folder that everything is in, so that unpacking litters nothing. */
  constructor(sink: Sink, root: string, mtime: Date) {
    this.#root = root;
    this.#mtime = mtime;
    this.#written = pipeline(this.#pack, createGzip({ level: 6 }), async (chunks: AsyncIterable<Uint8Array>) => {
      for await (const chunk of chunks) await sink.write(chunk);
    });
    // whoever adds the next part, or ends it, hears of it
    this.#written.catch(() => {});
  }

  /** One at a time, in the order of the calls. */
  add(name: string, bytes: Uint8Array): Promise<void> {
    return this.#queued(
      () =>
        new Promise((resolve, reject) => {
          const entry = { name: `${this.#root}/${name}`, size: bytes.length, mtime: this.#mtime, mode: 0o644 };
          this.#pack.entry(entry, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), (error) =>
            error ? reject(error) : resolve(),
          );
        }),
    );
  }

  /** From disk, piece by piece. Resolves to its size. */
  async addFile(name: string, path: string): Promise<number> {
    const { size } = await stat(path);
    await this.#queued(async () => {
      const entry = this.#pack.entry({ name: `${this.#root}/${name}`, size, mtime: this.#mtime, mode: 0o644 });
      await pipeline(createReadStream(path, { end: Math.max(0, size - 1) }), entry);
    });
    return size;
  }

  async finish(): Promise<void> {
    await this.#queued(async () => this.#pack.finalize());
    await this.#written;
  }

  destroy(): void {
    this.#pack.destroy();
  }

  #queued(work: () => Promise<void>): Promise<void> {
    const failed = this.#written.then(() => new Promise<never>(() => {}));
    const done = this.#turn.then(() => Promise.race([work(), failed]));
    this.#turn = done.catch(() => {});
    return done;
  }
}
