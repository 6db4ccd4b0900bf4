/**
 * Compresses on this thread: a stream of zlib's does its work in the app's pool, and waits for ever where that is full. What
 * `gzipSync` itself calls is not public, so where a Node has it no more each part becomes a member of its own, which gzip allows.
 */
import * as zlib from 'node:zlib';

const { createZstdCompress, constants } = zlib as Partial<typeof zlib>;

export interface Compressor {
  /** What can be sent after this part, so that a reader sees all of it. Takes about a millisecond for 256 KiB. */
  part(bytes: Buffer): Buffer;
  /** The end, and with it the memory that it took. */
  end(): Buffer;
  /** For one that does not come to its end. */
  close(): void;
}

interface Handle {
  writeSync(flush: number, from: Buffer, at: number, length: number, to: Buffer, toAt: number, toLength: number): void;
}
interface Internals {
  readonly _handle?: Handle;
  /** What was left after a write: of the room, and of the input. */
  readonly _writeState?: Uint32Array;
  close(): void;
}

export const hasZstd = createZstdCompress !== undefined && isOpen(createZstdCompress() as unknown as Internals);

export function compressor(format: 'gzip' | 'zstd'): Compressor {
  if (format === 'zstd') {
    const { ZSTD_c_compressionLevel: level, ZSTD_e_flush, ZSTD_e_end } = constants as typeof zlib.constants;
    return over(createZstdCompress!({ params: { [level]: 1 } }) as unknown as Internals, ZSTD_e_flush, ZSTD_e_end);
  }
  const stream = zlib.createGzip({ level: 1 }) as unknown as Internals;
  const { Z_SYNC_FLUSH, Z_FINISH } = zlib.constants;
  if (isOpen(stream, false)) return over(stream, Z_SYNC_FLUSH, Z_FINISH);
  stream.close();
  return { part: (bytes) => zlib.gzipSync(bytes, { level: 1 }), end: () => Buffer.alloc(0), close() {} };
}

function isOpen(stream: Internals, closeIt = true): boolean {
  const known = typeof stream._handle?.writeSync === 'function' && stream._writeState instanceof Uint32Array;
  if (closeIt) stream.close();
  return known;
}

const roomBytes = 64 * 1024;

function over(stream: Internals, flush: number, finish: number): Compressor {
  const handle = stream._handle!;
  const state = stream._writeState!;
  const write = (flag: number, bytes: Buffer): Buffer => {
    const written: Buffer[] = [];
    for (let at = 0, left = bytes.length; ; ) {
      const room = Buffer.allocUnsafe(roomBytes);
      handle.writeSync(flag, bytes, at, left, room, 0, room.length);
      const [unused, unread] = state as unknown as [number, number];
      at += left - unread;
      left = unread;
      written.push(room.subarray(0, room.length - unused));
      // room to spare: nothing is waiting to be written
      if (unused > 0) return Buffer.concat(written);
    }
  };
  return {
    part: (bytes) => write(flush, bytes),
    end() {
      const rest = write(finish, Buffer.alloc(0));
      stream.close();
      return rest;
    },
    close: () => stream.close(),
  };
}
