/** The commands whose answer is text, asked of Go processes by gops' bytes where a Go agent turned out to answer. */
import { asNodeopsError, NodeopsError } from '../../protocol/errors.ts';
import type { GopsCommand } from '../../protocol/gops.ts';
import { schema } from '../../protocol/wire.ts';
import type { Io } from '../io.ts';
import type { Target } from '../target.ts';
import { type GopsRequest, gopsText } from '../transport/gops/ask.ts';
import { fanOut, type Outcome } from './fanout.ts';

/** What a gops agent answered, in its own words. */
export interface GoAnswer {
  readonly schema: typeof schema;
  readonly operation: string;
  /** ISO 8601, our clock */
  readonly at: string;
  /** The Go version. */
  readonly go: string;
  readonly text: string;
  readonly notes: readonly string[];
}

export interface GoAskOptions {
  /** Milliseconds each has to answer. @default 15_000 */
  readonly timeout?: number | undefined;
  readonly concurrency?: number | undefined;
}

const timeoutMs = 15_000;

/** The Go version, when an error says that the gops agent of a Go process answers instead of ours. */
export function goOf(error: unknown): string | undefined {
  const go = error instanceof NodeopsError ? error.detail?.go : undefined;
  return typeof go === 'string' ? go : undefined;
}

/** Puts the answers of Go processes in place of the errors that say there is one; other outcomes stay. */
export async function withGo<R>(
  outcomes: readonly Outcome<Target, R>[],
  request: GopsRequest,
  { timeout = timeoutMs, concurrency = 32 }: GoAskOptions,
  io: Io,
): Promise<Outcome<Target, R | GoAnswer>[]> {
  if (!outcomes.some(({ error }) => goOf(error) !== undefined)) return [...outcomes];
  const ask = async (outcome: Outcome<Target, R>): Promise<R | GoAnswer> => {
    const go = goOf(outcome.error);
    if (go !== undefined) return askGo(outcome.of, go, request, timeout, io);
    if (outcome.error) throw outcome.error;
    return outcome.value;
  };
  const asked = await fanOut(outcomes, ask, { concurrency });
  return asked.map((outcome) => ({ ...outcome, of: outcome.of.of }));
}

async function askGo(
  { endpoint }: Target,
  go: string,
  request: GopsRequest,
  timeout: number,
  io: Io,
): Promise<GoAnswer> {
  const signal = AbortSignal.any([io.signal, AbortSignal.timeout(timeout)]);
  try {
    const text = await gopsText(endpoint, request, signal);
    return { schema, operation: request.command, at: io.now().toISOString(), go, text: text.trimEnd(), notes: [] };
  } catch (error) {
    throw explained(error, endpoint.name, request.command, io);
  }
}

/** In the words of our own agent's errors. */
export function explained(error: unknown, name: string, command: GopsCommand, io: Io): NodeopsError {
  if (error instanceof NodeopsError) return error;
  if (io.signal.aborted) return new NodeopsError('interrupted', 'interrupted', { cause: error });
  if ((error as Error | undefined)?.name !== 'TimeoutError') return asNodeopsError(error);
  return new NodeopsError('timeout', `the gops agent of ${name} did not answer ${command} in time`, {
    cause: error,
    hint: 'it serves one at a time: try again when what it is busy with is over',
  });
}

/** Lines for one Go process. */
export function goLines({ text }: GoAnswer): string[] {
  return text === '' ? [] : text.split('\n');
}

export function isGoAnswer(value: object): value is GoAnswer {
  return 'go' in value;
}
