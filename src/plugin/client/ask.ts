import type { OperationName, Parameters } from '../../protocol/operations.ts';
import type { Envelope, Replies } from '../../protocol/replies.ts';
import type { Io } from '../io.ts';
import type { Target } from '../target.ts';
import { fanOut, type Outcome } from './fanout.ts';

export type Answer<N extends OperationName> = Outcome<Target, Envelope<Replies[N]>>;

export interface AskAllOptions {
  /** Milliseconds each has to answer. @default the client's */
  readonly timeout?: number | undefined;
  readonly concurrency?: number | undefined;
}

/** Asks every target the same question. */
export async function askAll<N extends OperationName>(
  targets: readonly Target[],
  operation: N,
  parameters: Parameters<N>,
  { timeout: timeoutMs, concurrency = 32 }: AskAllOptions,
  { signal }: Io,
): Promise<Answer<N>[]> {
  const { AgentClient } = await import('./client.ts');
  const ask = async ({ endpoint, process }: Target): Promise<Envelope<Replies[N]>> => {
    const client = new AgentClient(endpoint);
    try {
      return await client.ask(operation, parameters, { process, signal, timeoutMs });
    } finally {
      client.close();
    }
  };
  return fanOut(targets, ask, { concurrency });
}
