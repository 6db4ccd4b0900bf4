/** What a cut connection means for a capture: ask again, since the agent keeps it. */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ErrorCode, NodeopsError } from '../../protocol/errors.ts';
import { duration } from '../../protocol/text/quantities.ts';
import type { CaptureLimits } from './limits.ts';

const passing = new Set<ErrorCode>(['unreachable', 'stalled', 'timeout', 'no-agent']);
/** Codes of Node's own errors when a connection ends in the middle of a body, compressed or not. */
const cut = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ERR_STREAM_PREMATURE_CLOSE', 'Z_BUF_ERROR']);

/** Whether an error says that the connection failed, and not the capture. */
export function isCut(error: unknown): boolean {
  if (error instanceof NodeopsError) return passing.has(error.code);
  return error instanceof Error && 'code' in error && cut.has(String(error.code));
}

export interface ReconnectOptions {
  /** What messages call the other end. */
  readonly name: string;
  readonly limits: CaptureLimits;
  /** Told once when the connection is lost, and once when it is back. */
  readonly say: (text: string) => void;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
}

/** One outage after another: each has its own limit, and ends when something arrives. */
export class Reconnect {
  readonly #options: ReconnectOptions;
  #lostAt: number | undefined;
  #pauseMs = 0;

  constructor(options: ReconnectOptions) {
    this.#options = options;
  }

  /** Something arrived. */
  arrived(): void {
    if (this.#lostAt === undefined) return;
    const { name, say } = this.#options;
    say(`${name} is back after ${duration(performance.now() - this.#lostAt)}`);
    this.#lostAt = undefined;
  }

  /** Waits before the next attempt. Throws the error itself where a next attempt makes no sense or the limit is reached. */
  async after(error: unknown): Promise<void> {
    const { name, limits, say, signal } = this.#options;
    signal.throwIfAborted();
    if (!isCut(error)) throw error;
    const why = error instanceof NodeopsError ? error.message : `the connection to ${name} was cut`;
    const refused = error instanceof NodeopsError && error.code === 'no-agent';
    const limitMs = refused ? limits.refusedMs : limits.reconnectMs;
    if (this.#lostAt === undefined) {
      // the monotonic clock stands while a laptop sleeps
      this.#lostAt = performance.now();
      this.#pauseMs = limits.firstPauseMs;
      say(`${why}; trying again for up to ${duration(limitMs)}`);
    }
    if (performance.now() - this.#lostAt >= limitMs)
      throw new NodeopsError(
        error instanceof NodeopsError ? error.code : 'unreachable',
        `${name} did not come back within ${duration(limitMs)}: ${why}`,
        { cause: error },
      );
    await sleep(this.#pauseMs, undefined, { signal });
    this.#pauseMs = Math.min(this.#pauseMs * 2, limits.longestPauseMs);
  }
}
