import type { Readable, Writable } from 'node:stream';

/** The outside world, handed in: tests and completion run the same code with their own. */
export interface Io {
  readonly stdin: Readable & { isTTY?: boolean };
  readonly stdout: Writable & { isTTY?: boolean; columns?: number };
  readonly stderr: Writable & { isTTY?: boolean; columns?: number };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What the user types to get here: `kubectl nodeops` or `nodeops`. */
  readonly program: string;
  /** Path this program was started as. */
  readonly executable: string;
  /** Aborted by the first Ctrl-C. */
  readonly signal: AbortSignal;
  /** Aborted by the second Ctrl-C, for what the first one only asks to end early. */
  readonly abandon?: AbortSignal;
  now(): Date;
}

/** Writes data; resolves when the stream took it, so that a slow reader of stdout holds us and not our memory. */
export function write(stream: Writable, text: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => (error ? reject(error) : resolve()));
  });
}
