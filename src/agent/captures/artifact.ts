import type { ArtifactSink } from '../../inspect/captures/capture.ts';
import { NodeopsError } from '../../protocol/errors.ts';

/** What a capture wrote, while it writes and for as long as it is kept. */
export interface Artifact extends ArtifactSink {
  /** Uncompressed bytes so far. */
  readonly bytes: number;
  /** Whether every byte can be read again. */
  readonly resumable: boolean;
  /** Where it is on disk; null in memory. */
  readonly path: string | null;
  /** Whether it is gone: abandoned, expired, or given up for a newer one. */
  readonly removed: boolean;
  /** Ends writing; returns the sha256 of everything written, in hex. Throws `no-space`. */
  finish(): string;
  /**
   * Bytes from `from` up to but without `to`, by default to the end, waiting for what is still to be written. Each buffer is
   * valid until the next one is asked for: one is filled again and again, so that nothing has to wait to be collected.
   * Throws `refused` for bytes that are not kept any more, `failed` when it is removed meanwhile.
   */
  read(from: number, to?: number): AsyncGenerator<Buffer, void, undefined>;
  /** Throws it away; safe to call twice. */
  remove(): void;
}

export function removedError(): NodeopsError {
  return new NodeopsError('failed', 'the artifact was removed', {
    hint: 'the capture failed, was abandoned, or was kept too long: start it again',
  });
}
