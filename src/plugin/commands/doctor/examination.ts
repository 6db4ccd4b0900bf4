/** Runs checks side by side. Each waits for those it needs; where one of them fails, it is skipped and says because of which. */
import { NodeopsError } from '../../../protocol/errors.ts';
import { type Check, type Finding, failure, skip } from './check.ts';

/** Within this a check has an answer, waiting for others not counted. */
const checkTimeoutMs = 10_000;

interface Settled<T> {
  readonly check: Check;
  readonly value: T | undefined;
  /** What of the check that is the reason for a skipped one. */
  readonly because?: string;
}

/** A check that runs or has run. */
export interface Link<T> {
  readonly what: string;
  readonly settled: Promise<Settled<T>>;
}

type Values<N extends readonly Link<unknown>[]> = { [K in keyof N]: N[K] extends Link<infer V> ? V : never };

export interface About<N extends readonly Link<unknown>[]> {
  /** Stable, for machines. */
  readonly id: string;
  readonly what: string;
  /** Checks without which this one makes no sense; their values are handed to `look` in this order. */
  readonly needs: N;
  /** @default 10_000 */
  readonly timeoutMs?: number;
}

/** The checks of one subject, in the order of the report. */
export class Examination {
  readonly subject: string | null;
  readonly #checks: Promise<Check>[] = [];
  readonly #signal: AbortSignal;
  readonly #mask: (text: string) => string;

  constructor(subject: string | null, signal: AbortSignal, mask: (text: string) => string) {
    this.subject = subject;
    this.#signal = signal;
    this.#mask = mask;
  }

  /** Reject only with `interrupted`. */
  get checks(): readonly Promise<Check>[] {
    return this.#checks;
  }

  /** Starts a check. What `look` throws is a failed check. */
  link<const N extends readonly Link<unknown>[], T = undefined>(
    about: About<N>,
    look: (signal: AbortSignal, ...values: Values<N>) => Promise<Finding<T>> | Finding<T>,
  ): Link<T> {
    const settled = this.#run(about, look);
    // whoever prints the checks hears of an interruption
    settled.catch(() => {});
    const check = settled.then(({ check: of }) => of);
    check.catch(() => {});
    this.#checks.push(check);
    return { what: about.what, settled };
  }

  async #run<const N extends readonly Link<unknown>[], T>(
    { id, what, needs, timeoutMs = checkTimeoutMs }: About<N>,
    look: (signal: AbortSignal, ...values: Values<N>) => Promise<Finding<T>> | Finding<T>,
  ): Promise<Settled<T>> {
    const before = await Promise.all(needs.map(({ settled }) => settled));
    const broken = before.find(({ check: { status } }) => status === 'fail' || status === 'skip');
    const values = before.map(({ value }) => value) as Values<N>;
    if (broken) {
      const because = broken.because ?? broken.check.what;
      return { check: this.#checkOf(id, what, skip(`needs: ${because}`)), value: undefined, because };
    }
    const finding = await this.#within(timeoutMs, (signal) => look(signal, ...values));
    return { check: this.#checkOf(id, what, finding), value: finding.value };
  }

  async #within<T>(
    timeoutMs: number,
    look: (signal: AbortSignal) => Promise<Finding<T>> | Finding<T>,
  ): Promise<Finding<T>> {
    const deadline = AbortSignal.timeout(timeoutMs);
    const signal = AbortSignal.any([this.#signal, deadline]);
    let abort = () => {};
    const ended = new Promise<never>((_, reject) => {
      abort = () => reject(signal.reason);
      signal.addEventListener('abort', abort, { once: true });
      if (signal.aborted) abort();
    });
    try {
      return await Promise.race([ended, (async () => look(signal))()]);
    } catch (error) {
      if (this.#signal.aborted) throw new NodeopsError('interrupted', 'interrupted', { cause: error });
      if (deadline.aborted) return { status: 'fail', detail: `no answer within ${timeoutMs / 1_000} s` };
      return failure(error);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  #checkOf(id: string, what: string, { status, detail, remedy }: Finding<unknown>): Check {
    const mask = this.#mask;
    return {
      id,
      subject: this.subject,
      status,
      what,
      detail: detail === undefined ? null : mask(detail),
      remedy: remedy
        ? {
            ...(remedy.say === undefined ? {} : { say: mask(remedy.say) }),
            ...(remedy.run === undefined ? {} : { run: remedy.run.map(mask) }),
            ...(remedy.yaml === undefined ? {} : { yaml: mask(remedy.yaml) }),
          }
        : null,
    };
  }
}
