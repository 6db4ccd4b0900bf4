import { createHash } from 'node:crypto';
import type { Writable } from 'node:stream';
import { NodeopsError } from '../../protocol/errors.ts';
import { write } from '../io.ts';

/** Takes the bytes of an artifact as they arrive. */
export interface Sink {
  /** Bytes taken so far: where a cut transfer goes on. */
  readonly bytes: number;
  /** Resolves when the bytes are taken, so that a slow disk or reader holds the network and not our memory. */
  write(chunk: Uint8Array): Promise<void>;
  /** Of all that was taken, hex. */
  sha256(): string;
}

/** What every sink counts. */
export class Tally {
  #hash = createHash('sha256');
  bytes = 0;

  add(chunk: Uint8Array): void {
    this.#hash.update(chunk);
    this.bytes += chunk.length;
  }
  sha256(): string {
    return this.#hash.copy().digest('hex');
  }
}

/** Passes everything on to a stream. */
export class StreamSink implements Sink {
  readonly #tally = new Tally();
  readonly #stream: Writable;

  constructor(stream: Writable) {
    this.#stream = stream;
  }
  get bytes(): number {
    return this.#tally.bytes;
  }
  async write(chunk: Uint8Array): Promise<void> {
    await write(this.#stream, chunk);
    this.#tally.add(chunk);
  }
  sha256(): string {
    return this.#tally.sha256();
  }
}

/** Keeps everything, for what is converted before it goes anywhere. */
export class MemorySink implements Sink {
  readonly #tally = new Tally();
  readonly #chunks: Uint8Array[] = [];
  readonly #limitBytes: number;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }
  get bytes(): number {
    return this.#tally.bytes;
  }
  async write(chunk: Uint8Array): Promise<void> {
    if (this.bytes + chunk.length > this.#limitBytes)
      throw new NodeopsError('too-large', `the profile is larger than ${this.#limitBytes} bytes`, {
        hint: 'save it as it is, with --format and --output FILE',
      });
    this.#tally.add(chunk);
    this.#chunks.push(chunk);
  }
  sha256(): string {
    return this.#tally.sha256();
  }
  content(): Uint8Array {
    return Buffer.concat(this.#chunks);
  }
}
