import { createHash } from 'node:crypto';
import { closeSync, constants, existsSync, ftruncateSync, openSync, readSync, renameSync, writeSync } from 'node:fs';
import { NodeopsError } from '../../protocol/errors.ts';
import { discard } from '../store/room.ts';
import { type Artifact, removedError } from './artifact.ts';
import { Condition } from './condition.ts';

const readBytes = 256 * 1024;
/** How long a reader waits before it looks again whether there is more. */
const patienceMs = 5_000;

/** What a file asks of the store that it belongs to. */
export interface Quota {
  readonly memoryPerByte: number;
  /**
   * Lets the file of `path` that is open as `file` grow to `bytes` at least, and makes it as long as it may become: that length is
   * returned. Throws `no-space`.
   */
  reserve(growing: { path: string; file: number; reserved: number; bytes: number }): number;
  /** A file is gone. */
  gone(artifact: Artifact): void;
}

/** An artifact in a file: `PATH.part` while it is written, renamed when it is whole. Written synchronously: V8 does not wait. */
export class FileArtifact implements Artifact {
  readonly path: string;
  readonly resumable = true;
  readonly memoryPerByte: number;
  bytes = 0;
  #removed = false;
  /** How long the file is while it is written. */
  #reserved = 0;
  readonly #quota: Quota;
  readonly #hash = createHash('sha256');
  readonly #grown = new Condition();
  #fd: number | undefined;

  /** Throws what the file system throws. */
  constructor(path: string, quota: Quota) {
    this.path = path;
    this.#quota = quota;
    this.memoryPerByte = quota.memoryPerByte;
    const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW = 0 } = constants;
    this.#fd = openSync(`${path}.part`, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  }

  /** Also when another process has given it up for a capture of its own. */
  get removed(): boolean {
    if (!this.#removed && this.#fd === undefined && !existsSync(this.path)) this.#removed = true;
    return this.#removed;
  }

  async write(chunk: string): Promise<void> {
    this.writeSync(chunk);
  }

  writeSync(chunk: string): void {
    if (this.#fd === undefined) throw removedError();
    const bytes = Buffer.from(chunk);
    const end = this.bytes + bytes.length;
    try {
      if (end > this.#reserved) {
        const { path } = this;
        this.#reserved = this.#quota.reserve({ path, file: this.#fd, reserved: this.#reserved, bytes: end });
      }
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
    } catch (cause) {
      throw asNoSpace(cause, this.path);
    }
    this.bytes = end;
    this.#hash.update(bytes);
    this.#grown.notify();
  }

  finish(): string {
    const fd = this.#fd;
    if (fd === undefined) throw removedError();
    this.#fd = undefined;
    try {
      try {
        ftruncateSync(fd, this.bytes);
      } finally {
        // a full network disk may say so only here
        closeSync(fd);
      }
      renameSync(`${this.path}.part`, this.path);
    } catch (cause) {
      throw asNoSpace(cause, this.path);
    }
    this.#grown.notify();
    return this.#hash.digest('hex');
  }

  async *read(from: number, to = Number.POSITIVE_INFINITY): AsyncGenerator<Buffer, void, undefined> {
    if (this.removed) throw removedError();
    const file = this.#openToRead();
    const buffer = Buffer.allocUnsafeSlow(readBytes);
    try {
      for (let position = from; position < to; ) {
        const length = Math.min(readBytes, to - position, this.bytes - position);
        if (length > 0) {
          // on this thread, since the pool is the app's
          const read = readSync(file, buffer, 0, length, position);
          if (read === 0) throw removedError();
          position += read;
          yield buffer.subarray(0, read);
        } else if (this.removed) throw removedError();
        else if (this.#fd === undefined) return;
        else await this.#grown.wait(patienceMs);
      }
    } finally {
      closeSync(file);
    }
  }

  #openToRead(): number {
    // it may have been renamed a moment ago
    for (const path of this.#fd === undefined ? [this.path] : [`${this.path}.part`, this.path]) {
      try {
        return openSync(path, 'r');
      } catch {
        // the next, if there is one
      }
    }
    throw removedError();
  }

  remove(): void {
    if (this.#removed) return;
    this.#removed = true;
    const written = this.#fd !== undefined;
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
    for (const path of written ? [`${this.path}.part`] : [this.path, `${this.path}.part`]) discard(path);
    this.#quota.gone(this);
    this.#grown.notify();
  }
}

function asNoSpace(cause: unknown, path: string): NodeopsError {
  if (cause instanceof NodeopsError) return cause;
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG')
    return new NodeopsError('no-space', `the disk under ${path} is full: nothing of this capture is kept`, {
      cause,
      hint: 'give the pod an artifact volume (annotation nodeops.dev/artifacts-size), or capture for a shorter time',
    });
  return new NodeopsError('failed', `${path} cannot be written: ${message}`, { cause });
}
