/** The questions of one look: a reading that failed once may be had the next time, and one that was never had is missing. */
import { asNodeopsError, type NodeopsError } from '../../protocol/errors.ts';
import type { OperationName, Parameters } from '../../protocol/operations.ts';
import type { Envelope, Replies } from '../../protocol/replies.ts';
import type { Case, Reading } from '../../why/case.ts';
import { AgentClient } from '../client/client.ts';
import type { Target } from '../target.ts';

export interface QuestionOptions {
  /** What one reply may take, its window not counted. @default 5000 */
  readonly timeoutMs: number | undefined;
  readonly signal: AbortSignal;
}

/** A reply is waited for no longer than this: the look must end. */
const replyMs = 5_000;

export class Questions {
  readonly #client: AgentClient;
  readonly #process: string | undefined;
  readonly #options: QuestionOptions;
  readonly #missing = new Map<Reading, string>();
  readonly #had = new Set<Reading>();
  #inTurn: boolean;
  #late = false;
  #last: Promise<unknown> = Promise.resolve();

  constructor({ endpoint, process }: Target, options: QuestionOptions) {
    this.#client = new AgentClient(endpoint);
    this.#process = process;
    this.#options = options;
    this.#inTurn = endpoint.outside === true;
  }

  close(): void {
    this.#client.close();
  }

  /** Whether one waits for the other, as where a process is looked at from outside or answers too late. */
  get inTurn(): boolean {
    return this.#inTurn;
  }

  /** Whether an answer came too late: more may be had with more time. */
  get late(): boolean {
    return this.#late;
  }

  get missing(): Case['missing'] {
    return [...this.#missing].map(([reading, reason]) => ({ reading, reason }));
  }

  /** Throws what the agent or the way to it says. `takesMs` is what it is asked to watch. */
  ask<N extends OperationName>(
    name: N,
    parameters: Partial<Parameters<N>>,
    takesMs = 0,
  ): Promise<Envelope<Replies[N]>> {
    const { timeoutMs = replyMs, signal } = this.#options;
    const options = { process: this.#process, signal, timeoutMs: timeoutMs + takesMs };
    const ask = () => this.#client.ask(name, parameters, options);
    if (!this.#inTurn) return ask();
    const asked = this.#last.then(ask);
    this.#last = asked.catch(() => {});
    return asked;
  }

  /** Null where it failed. */
  async attempt<N extends OperationName & Reading>(
    name: N,
    parameters: Partial<Parameters<N>>,
    takesMs = 0,
  ): Promise<Envelope<Replies[N]> | null> {
    try {
      const reply = await this.ask(name, parameters, takesMs);
      this.#had.add(name);
      this.#missing.delete(name);
      return reply;
    } catch (error) {
      this.misses(name, asNodeopsError(error));
      return null;
    }
  }

  misses(reading: Reading, error: NodeopsError): void {
    // questions that wait for one another in the agent run out of time together
    if (error.code === 'timeout') {
      this.#late = true;
      this.#inTurn = true;
    }
    if (!this.#options.signal.aborted && !this.#had.has(reading)) this.#missing.set(reading, error.message);
  }
}
