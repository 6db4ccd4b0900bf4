import { readNativeEvidence } from '../proc/native.ts';
import { NodeopsError } from '../protocol/errors.ts';
import { limits } from '../protocol/limits.ts';
import type { NativeEvidence } from '../protocol/replies.ts';
import type { Inspector } from './inspector.ts';
import type { Subject } from './subject.ts';

/** How long the main thread may be silent before it counts as stuck: what remains of the deadline is for the reply. */
export const silenceMs = limits.readDeadlineMs - 500;

export type Answer<T> = { value: T; stuck: null } | { value: null; stuck: NativeEvidence };

/** One line for all questions of a reading: opening a second one from outside would signal the process again. */
const lines = new WeakMap<Subject, Promise<Inspector>>();

function lineTo(subject: Subject): Promise<Inspector> {
  const line = lines.get(subject) ?? subject.inspector();
  lines.set(subject, line);
  return line;
}

export interface Early {
  readonly afterMs: number;
  /** Whether the answer need not be waited for any longer. */
  isEnough(): boolean;
}

/**
 * Asks the main thread something, and lets go of it again. When it does not answer within `timeoutMs`, or a look at `early` was enough, the
 * answer is what the kernel shows of it. Throws what the inspector throws but `stuck`.
 */
export async function askMainThread<T>(
  subject: Subject,
  question: (inspector: Inspector) => Promise<T>,
  timeoutMs: number = silenceMs,
  early?: Early,
): Promise<Answer<T>> {
  const since = Date.now();
  let opened: Inspector | undefined;
  const ask = async (): Promise<T> => {
    opened = await lineTo(subject);
    return question(opened);
  };
  try {
    const answer = ask();
    const value = await within(
      timeoutMs,
      early ? within(early.afterMs, answer).catch(unlessEnough(early, answer)) : answer,
    );
    subject.lastKnown.delete('native');
    return { value, stuck: null };
  } catch (error) {
    if (!(error instanceof NodeopsError) || error.code !== 'stuck') throw error;
    return { value: null, stuck: await readNativeEvidence(subject, since) };
  } finally {
    opened?.rest?.();
  }
}

function unlessEnough<T>(early: Early, answer: Promise<T>): (error: Error) => Promise<T> {
  return (error) => {
    if (!(error instanceof NodeopsError) || error.code !== 'stuck' || early.isEnough()) throw error;
    return answer;
  };
}

/** Rejects with `stuck` when the work takes longer. */
export async function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new NodeopsError('stuck', `the main thread did not answer within ${timeoutMs} ms`)),
      timeoutMs,
    );
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

interface Known<T> {
  readonly at: number;
  readonly figures: T;
}

export function remember<T>(subject: Subject, name: string, figures: T): T {
  subject.lastKnown.set(name, { at: Date.now(), figures } satisfies Known<T>);
  return figures;
}

/** The figures last remembered under that name, and the sentence that tells their age. */
export function recall<T>(subject: Subject, name: string, what: string): { figures: T | null; note: string } {
  const known = subject.lastKnown.get(name) as Known<T> | undefined;
  if (!known) return { figures: null, note: `${what} cannot be known while the main thread does not answer` };
  const age = ((Date.now() - known.at) / 1000).toFixed(1);
  return { figures: known.figures, note: `${what} are from ${age} s ago, when the main thread last answered` };
}
