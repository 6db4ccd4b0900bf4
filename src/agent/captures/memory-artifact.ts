import { createHash } from 'node:crypto';
import * as zlib from 'node:zlib';
import { NodeopsError } from '../../protocol/errors.ts';
import { limits } from '../../protocol/limits.ts';
import { type Artifact, removedError } from './artifact.ts';
import { Condition } from './condition.ts';

/** What is kept compressed of captures that cannot wait for their client. */
const packedBytesLimit = 64 * 1024 * 1024;
/** Pieces that are kept, given up and compressed as a whole. */
const pieceBytes = 1024 * 1024;
const patienceMs = 5_000;

interface Piece {
  readonly start: number;
  readonly length: number;
  data: Buffer;
  packed: boolean;
}

export interface MemoryLimits {
  readonly windowBytes: number;
  readonly packedBytes: number;
  /** A capture that waits for a client to fetch gives up after this. */
  readonly waitMs: number;
}

/**
 * An artifact where nothing can be kept on disk. All of it is kept while it fits the window; from then on a capture that can
 * wait waits until what is there was fetched, and the oldest bytes that were fetched are given up.
 */
export class MemoryArtifact implements Artifact {
  readonly path = null;
  readonly memoryPerByte = 0;
  bytes = 0;
  removed = false;
  readonly #limits: MemoryLimits;
  readonly #hash = createHash('sha256');
  readonly #moved = new Condition();
  #kept: Piece[] = [];
  #plainBytes = 0;
  #packedBytes = 0;
  #fetched = 0;
  #finished = false;

  constructor(memory: Partial<MemoryLimits> = {}) {
    this.#limits = {
      windowBytes: limits.artifactWindowBytes,
      packedBytes: packedBytesLimit,
      waitMs: limits.jobAbandonedMs,
      ...memory,
    };
  }

  get resumable(): boolean {
    return this.#oldest() === 0;
  }

  async write(chunk: string): Promise<void> {
    for (const piece of this.#cut(chunk)) {
      while (!this.#fits(piece.length)) {
        const before = this.#fetched;
        const rang = await this.#moved.wait(this.#limits.waitMs);
        if (this.removed) throw removedError();
        if (!rang && this.#fetched === before)
          throw new NodeopsError('timeout', 'nobody fetched the artifact, and it cannot be kept on disk', {
            hint: 'fetch it while the capture runs, or give the pod an artifact volume (annotation nodeops.dev/artifacts-size)',
          });
      }
      this.#add(piece);
    }
  }

  writeSync(chunk: string): void {
    for (const piece of this.#cut(chunk)) {
      while (!this.#fits(piece.length)) this.#pack();
      this.#add(piece);
    }
  }

  finish(): string {
    if (this.removed) throw removedError();
    this.#finished = true;
    this.#moved.notify();
    return this.#hash.digest('hex');
  }

  async *read(from: number, to = Number.POSITIVE_INFINITY): AsyncGenerator<Buffer, void, undefined> {
    for (let position = from; position < to; ) {
      if (this.removed) throw removedError();
      if (position < this.#oldest())
        throw new NodeopsError(
          'refused',
          `bytes before ${this.#oldest()} were sent already, and could not be kept on disk`,
          {
            hint: 'start the capture again, or give the pod an artifact volume (annotation nodeops.dev/artifacts-size)',
          },
        );
      const piece = this.#kept.find(({ start, length }) => position >= start && position < start + length);
      if (piece) {
        const { packed } = piece;
        const data = packed ? unpack(piece.data, piece.length) : piece.data;
        const part = data.subarray(position - piece.start, Math.min(piece.length, to - piece.start));
        yield part;
        position += part.length;
        if (packed) free(data);
        this.#fetched = Math.max(this.#fetched, position);
        this.#moved.notify();
      } else if (this.#finished) return;
      else await this.#moved.wait(patienceMs);
    }
  }

  remove(): void {
    this.removed = true;
    this.#kept = [];
    this.#moved.notify();
  }

  *#cut(chunk: string): Generator<Buffer> {
    const bytes = Buffer.from(chunk);
    const length = Math.min(pieceBytes, Math.ceil(this.#limits.windowBytes / 4));
    for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
  }

  #oldest(): number {
    return this.#kept[0]?.start ?? this.bytes;
  }

  /** Whether so many more bytes fit, after giving up what was fetched. */
  #fits(length: number): boolean {
    while (this.#plainBytes + length > this.#limits.windowBytes) {
      const first = this.#kept[0];
      if (!first || first.start + first.length > this.#fetched) break;
      this.#kept.shift();
      if (first.packed) this.#packedBytes -= first.data.length;
      else this.#plainBytes -= first.length;
    }
    return this.#plainBytes === 0 || this.#plainBytes + length <= this.#limits.windowBytes;
  }

  #pack(): void {
    const plain = this.#kept.find(({ packed }) => !packed);
    if (!plain) return;
    plain.data = pack(plain.data);
    plain.packed = true;
    this.#plainBytes -= plain.length;
    this.#packedBytes += plain.data.length;
    if (this.#packedBytes <= this.#limits.packedBytes) return;
    throw new NodeopsError(
      'no-space',
      `the artifact is larger than the ${this.#limits.packedBytes / 1024 / 1024} MiB that may wait in memory compressed`,
      { hint: 'give the pod an artifact volume: annotation nodeops.dev/artifacts-size, or NODEOPS_ARTIFACTS_DIR' },
    );
  }

  #add(data: Buffer): void {
    if (this.removed) throw removedError();
    this.#hash.update(data);
    const last = this.#kept.at(-1);
    // trickles become pieces of a size that is worth compressing
    if (last && !last.packed && last.length + data.length <= pieceBytes / 4) {
      this.#kept[this.#kept.length - 1] = {
        ...last,
        length: last.length + data.length,
        data: Buffer.concat([last.data, data]),
      };
    } else this.#kept.push({ start: this.bytes, length: data.length, data, packed: false });
    this.bytes += data.length;
    this.#plainBytes += data.length;
    this.#moved.notify();
  }
}

// from Node 22.15 and 23.8 on; ten times as dense as deflate is fast
const { zstdCompressSync, zstdDecompressSync } = zlib as Partial<typeof zlib>;

function pack(data: Buffer): Buffer {
  return zstdCompressSync ? zstdCompressSync(data) : zlib.deflateRawSync(data, { level: 1 });
}

function unpack(data: Buffer, length: number): Buffer {
  // one piece of memory, instead of many that are put together in the end
  const options = { chunkSize: Math.max(64, length) };
  return zstdDecompressSync ? zstdDecompressSync(data, options) : zlib.inflateRawSync(data, options);
}

/** Gives the memory back at once (from Node 22 on): a thread that allocates little else hardly ever collects garbage. */
function free({ buffer, length }: Buffer): void {
  const { transfer } = buffer as { transfer?: (length: number) => ArrayBuffer };
  // small buffers share their memory with others
  if (length > Buffer.poolSize) transfer?.call(buffer, 0);
}
