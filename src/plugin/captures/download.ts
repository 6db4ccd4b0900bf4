import { NodeopsError } from '../../protocol/errors.ts';
import type { Jobs } from './jobs.ts';
import type { CaptureLimits } from './limits.ts';
import { checkRange, receive, SinkFailure, tooLarge } from './receive.ts';
import type { Reconnect } from './reconnect.ts';
import type { Sink } from './sink.ts';

export interface DownloadOptions {
  readonly reconnect: Reconnect;
  readonly limits: CaptureLimits;
  readonly signal: AbortSignal;
  /** Size of the whole artifact; undefined while it is still being made. */
  readonly totalBytes: () => number | undefined;
  readonly onBytes: (bytes: number) => void;
  /** Most that is taken, whatever size is told. */
  readonly maxBytes: number;
}

/** Fetches an artifact into a sink; a cut connection is resumed at the byte the sink has reached. */
export async function download(jobs: Jobs, id: string, sink: Sink, options: DownloadOptions): Promise<void> {
  const { reconnect, totalBytes, signal, limits, onBytes, maxBytes } = options;
  const { name } = jobs.target.endpoint;
  if ((totalBytes() ?? 0) > maxBytes) throw tooLarge(name, maxBytes);
  const taking = {
    ...{ name, totalBytes, maxBytes, stallMs: limits.stallMs },
    onBytes: () => {
      reconnect.arrived();
      onBytes(sink.bytes);
    },
  };
  for (;;) {
    try {
      // a capture that is still being made sends its head when there is something to send
      const waitMs = totalBytes() === undefined ? 3_600_000 : limits.stallMs;
      const response = await jobs.artifact(id, sink.bytes, signal, waitMs);
      checkRange(response, sink.bytes, name);
      await receive(response, sink, taking);
      const total = totalBytes();
      if (total === undefined || sink.bytes === total) return;
      throw new NodeopsError('unreachable', `the connection to ${name} was cut`);
    } catch (error) {
      // a reader of ours that went away has the same code as a connection that was cut
      if (error instanceof SinkFailure) throw error.cause;
      await reconnect.after(error);
      jobs.reconnect();
    }
  }
}
