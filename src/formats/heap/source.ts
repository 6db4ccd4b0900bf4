/** Bytes that can be read anywhere, of a file or in memory: strings and names of edges stay there until somebody asks. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { NodeopsError } from '../../protocol/errors.ts';

export interface ByteSource {
  readonly sizeBytes: number;
  /** Fills the buffer from a byte on; returns how many were there. */
  read(into: Uint8Array, fromByte: number): number;
  close(): void;
}

/** Throws `local-file` when the file cannot be opened. */
export function fileSource(path: string): ByteSource {
  const fail = (cause: unknown): never => {
    throw new NodeopsError('local-file', `cannot read ${path}: ${(cause as Error).message}`, { cause });
  };
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (cause) {
    return fail(cause);
  }
  return {
    sizeBytes: fstatSync(fd).size,
    read(into, fromByte) {
      let filled = 0;
      try {
        while (filled < into.length) {
          const count = readSync(fd, into, filled, into.length - filled, fromByte + filled);
          if (count === 0) break;
          filled += count;
        }
      } catch (cause) {
        fail(cause);
      }
      return filled;
    },
    close: () => closeSync(fd),
  };
}

export function bytesSource(bytes: Uint8Array): ByteSource {
  return {
    sizeBytes: bytes.length,
    read(into, fromByte) {
      const part = bytes.subarray(fromByte, fromByte + into.length);
      into.set(part);
      return part.length;
    },
    close() {},
  };
}
