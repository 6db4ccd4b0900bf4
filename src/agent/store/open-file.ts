/** A file read in pieces on this thread: nothing of ours waits for a thread of the app's pool. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

const pieceBytes = 64 * 1024;

export class OpenFile {
  readonly size: number;
  readonly #descriptor: number;

  /** Of a path, or a descriptor that it then closes. Throws what the file system throws. */
  constructor(file: string | number) {
    this.#descriptor = typeof file === 'number' ? file : openSync(file, 'r');
    this.size = fstatSync(this.#descriptor).size;
  }

  get isFile(): boolean {
    return fstatSync(this.#descriptor).isFile();
  }

  /** Bytes from `from` up to but without `to`, or to the end: between two pieces the thread answers others. Closes the file at the end. */
  async *pieces(from = 0, to = Number.POSITIVE_INFINITY): AsyncGenerator<Buffer, void, undefined> {
    try {
      for (let position = from; position < to; ) {
        const piece = Buffer.allocUnsafe(Math.min(pieceBytes, to - position));
        const read = readSync(this.#descriptor, piece, 0, piece.length, position);
        if (read === 0) return;
        position += read;
        yield piece.subarray(0, read);
      }
    } finally {
      this.close();
    }
  }

  #closed = false;
  /** Safe to call twice. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.#descriptor);
  }
}
