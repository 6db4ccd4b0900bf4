import type { IncomingMessage } from 'node:http';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { NodeopsError } from '../../protocol/errors.ts';
import type { Jobs } from './jobs.ts';
import type { CaptureLimits } from './limits.ts';
import type { Reconnect } from './reconnect.ts';
import type { Sink } from './sink.ts';

export interface DownloadOptions {
  readonly reconnect: Reconnect;
  readonly limits: CaptureLimits;
  readonly signal: AbortSignal;
  /** Size of the whole artifact; undefined while it is still being made. */
  readonly totalBytes: () => number | undefined;
  readonly onBytes: (bytes: number) => void;
}

/** Fetches an artifact into a sink; a cut connection is resumed at the byte the sink has reached. */
export async function download(jobs: Jobs, id: string, sink: Sink, options: DownloadOptions): Promise<void> {
  const { reconnect, totalBytes, signal, limits } = options;
  for (;;) {
    try {
      // a capture that is still being made sends its head when there is something to send
      const waitMs = totalBytes() === undefined ? 3_600_000 : limits.stallMs;
      const response = await jobs.artifact(id, sink.bytes, signal, waitMs);
      checkRange(jobs, response, sink.bytes);
      await receive(jobs, response, sink, options);
      const total = totalBytes();
      if (total === undefined || sink.bytes === total) return;
      throw new NodeopsError('unreachable', `the connection to ${jobs.target.endpoint.name} was cut`);
    } catch (error) {
      // a reader of ours that went away has the same code as a connection that was cut
      if (error instanceof SinkFailure) throw error.cause;
      await reconnect.after(error);
      jobs.reconnect();
    }
  }
}

/** What was received could not be put where it belongs. */
class SinkFailure extends Error {}

async function receive(jobs: Jobs, response: IncomingMessage, sink: Sink, options: DownloadOptions): Promise<void> {
  const { reconnect, limits, totalBytes, onBytes } = options;
  const { name } = jobs.target.endpoint;
  const body = decoded(response);
  const stalled = () => {
    if (totalBytes() === undefined) timer.refresh();
    else response.destroy(new NodeopsError('stalled', `nothing came from ${name} for ${limits.stallMs / 1000} s`));
  };
  let timer = setTimeout(stalled, limits.stallMs);
  try {
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      // while the sink is slow the connection stands still through no fault of its own
      clearTimeout(timer);
      reconnect.arrived();
      const total = totalBytes();
      if (total !== undefined && sink.bytes + chunk.length > total)
        throw new NodeopsError('failed', `${name} sent more than the ${total} bytes of the artifact`);
      await sink.write(chunk).catch((cause: unknown) => {
        throw new SinkFailure('the sink failed', { cause });
      });
      onBytes(sink.bytes);
      timer = setTimeout(stalled, limits.stallMs);
    }
  } finally {
    clearTimeout(timer);
    response.destroy();
  }
}

function decoded(response: IncomingMessage): Readable {
  const encoding = response.headers['content-encoding'] ?? 'identity';
  if (encoding === 'identity') return response;
  const decoder = encoding === 'zstd' ? createZstdDecompress() : encoding === 'gzip' ? createGunzip() : undefined;
  if (!decoder) {
    response.destroy();
    throw new NodeopsError('failed', `the artifact came in the unknown encoding '${encoding.slice(0, 40)}'`);
  }
  // the error arrives through the decoder, whose reader throws it
  return pipeline(response, decoder, () => {});
}

function checkRange(jobs: Jobs, response: IncomingMessage, from: number): void {
  if (from === 0) return;
  const start = /^bytes (\d+)-/.exec(response.headers['content-range'] ?? '')?.[1];
  if (response.statusCode === 206 && Number(start) === from) return;
  response.destroy();
  throw new NodeopsError(
    'failed',
    `the transfer from ${jobs.target.endpoint.name} was cut after ${from} bytes, and the agent cannot go on from there`,
    { hint: 'take it again' },
  );
}
