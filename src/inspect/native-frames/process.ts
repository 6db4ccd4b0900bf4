/** Files read in place, a process's memory among them. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { FileBytes } from './elf.ts';
import { isAddress, type Memory } from './memory.ts';

/** An open file that is read in place: no thread of libuv's pool, which may be full, has a part in it. */
export class OpenFile implements FileBytes {
  readonly #fd: number;

  /** Throws where it may not be read. */
  constructor(path: string) {
    this.#fd = openSync(path, 'r');
  }

  read(offset: number, length: number, bytes = Buffer.allocUnsafe(length)): Buffer {
    return bytes.subarray(0, readSync(this.#fd, bytes, 0, length, offset));
  }

  /** Tells files apart, and one from what was installed in its place. */
  identity(): string {
    const { dev, ino, size, mtimeMs } = fstatSync(this.#fd);
    return `${dev}:${ino}:${size}:${mtimeMs}`;
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** Asks the kernel: it lets through who may trace the process (same user, dumpable, no namespace or security module in between). */
export class ProcessMemory implements Memory {
  readonly #file: OpenFile;
  readonly #until: number;

  /** Throws where it may not be read. After `until` (of performance.now) nothing more is read. */
  constructor(procDir: string, until: number) {
    this.#file = new OpenFile(`${procDir}/mem`);
    this.#until = until;
  }

  read(address: number, length: number): Buffer | null {
    if (!isAddress(address) || length < 0 || performance.now() > this.#until) return null;
    try {
      const bytes = this.#file.read(address, length);
      return bytes.length === length ? bytes : null;
    } catch {
      return null;
    }
  }

  close(): void {
    this.#file.close();
  }
}
