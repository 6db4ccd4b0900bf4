/** The body of an artifact's reply into a sink: decoded, bounded in size and silence. */
import type { IncomingMessage } from 'node:http';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { NodeopsError } from '../../protocol/errors.ts';
import { bytesShort } from '../../protocol/text/quantities.ts';
import type { Sink } from './sink.ts';

export interface ReceiveOptions {
  /** Who sends, for messages. */
  readonly name: string;
  /** Size of the whole artifact; undefined while it is still being made. */
  readonly totalBytes: () => number | undefined;
  /** Most that is taken, whatever size was told. */
  readonly maxBytes: number;
  /** Silence after which the connection counts as dead, once the size is known. */
  readonly stallMs: number;
  readonly onBytes: () => void;
}

/** What was received could not be put where it belongs. Its cause says why. */
export class SinkFailure extends Error {}

/** More than any snapshot or trace yields: a stream of zeros is no artifact. */
const mostRatio = 1_000;
/** Below this the ratio is not looked at. */
const unratedBytes = 64 * 1024 * 1024;

/**
 * Resolves at the end of the body. Throws `failed` for more than was told, `too-large` for more than `maxBytes`, `stalled`,
 * SinkFailure, and what the connection was destroyed with.
 */
export async function receive(response: IncomingMessage, sink: Sink, options: ReceiveOptions): Promise<void> {
  const { name, totalBytes, maxBytes, stallMs, onBytes } = options;
  const stalled = () => {
    if (totalBytes() === undefined) timer.refresh();
    else response.destroy(new NodeopsError('stalled', `nothing came from ${name} for ${stallMs / 1000} s`));
  };
  let timer = setTimeout(stalled, stallMs);
  try {
    for await (const chunk of decoded(response, name)) {
      // while the sink is slow the connection stands still through no fault of its own
      clearTimeout(timer);
      const total = totalBytes();
      const after = sink.bytes + chunk.length;
      if (total !== undefined && after > total)
        throw new NodeopsError('failed', `${name} sent more than the ${total} bytes of the artifact`);
      if (after > maxBytes) throw tooLarge(name, maxBytes);
      await sink.write(chunk).catch((cause: unknown) => {
        throw new SinkFailure('the sink failed', { cause });
      });
      onBytes();
      timer = setTimeout(stalled, stallMs);
    }
  } finally {
    clearTimeout(timer);
    response.destroy();
  }
}

export function tooLarge(name: string, maxBytes: number): NodeopsError {
  return new NodeopsError('too-large', `the artifact of ${name} is larger than ${bytesShort(maxBytes)}`, {
    hint: 'allow more with --max-size, such as --max-size 20Gi',
  });
}

/** Checks that a body begins where the sink has got to. Throws `failed`. */
export function checkRange(response: IncomingMessage, from: number, name: string): void {
  if (from === 0) return;
  const start = /^bytes (\d+)-/.exec(response.headers['content-range'] ?? '')?.[1];
  if (response.statusCode === 206 && Number(start) === from) return;
  response.destroy();
  throw new NodeopsError(
    'failed',
    `the transfer from ${name} was cut after ${from} bytes, and the agent cannot go on from there`,
    { hint: 'take it again' },
  );
}

async function* decoded(response: IncomingMessage, name: string): AsyncGenerator<Uint8Array> {
  const encoding = response.headers['content-encoding'] ?? 'identity';
  if (encoding === 'identity') return yield* response as AsyncIterable<Uint8Array>;
  const decoder = encoding === 'zstd' ? createZstdDecompress() : encoding === 'gzip' ? createGunzip() : undefined;
  if (!decoder) {
    response.destroy();
    throw new NodeopsError('failed', `the artifact came in the unknown encoding '${encoding.slice(0, 40)}'`);
  }
  let packed = 0;
  let unpacked = 0;
  async function* counted(source: Readable): AsyncGenerator<Uint8Array> {
    for await (const chunk of source as AsyncIterable<Uint8Array>) {
      packed += chunk.length;
      yield chunk;
    }
  }
  // the error arrives through the decoder, whose reader throws it
  for await (const chunk of pipeline(response, counted, decoder, () => {}) as AsyncIterable<Uint8Array>) {
    unpacked += chunk.length;
    if (unpacked > unratedBytes && unpacked > packed * mostRatio)
      throw new NodeopsError('failed', `what ${name} sends unpacks to more than ${mostRatio} times its size`);
    yield chunk;
  }
}
