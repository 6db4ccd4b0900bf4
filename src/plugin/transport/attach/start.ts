/** From a command that may be Node to a payload that answers. */
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import type { Greeting } from '../../../protocol/attach.ts';
import { NodeopsError } from '../../../protocol/errors.ts';
import { encodePayload, greetingReader } from './loader.ts';
import { openSession, type Session } from './session.ts';

/** A command whose stdin and stdout are a stream. */
export interface Started {
  readonly stream: Duplex & { expectData?(due: boolean): void };
  /** How it ended, once it has. */
  readonly exit: Promise<{ readonly code: number; readonly message: string }>;
  stderr(): string;
}

export interface PayloadOptions {
  /** Looks at where it is before anything more runs there. Throws to go no further. */
  readonly check: (greeting: Greeting) => void;
  readonly payload: () => Promise<string>;
  /** Words how the payload ended. */
  readonly why: (end: {
    code: number | undefined;
    stderr: string;
    cause: unknown;
  }) => NodeopsError | Promise<NodeopsError>;
  readonly signal: AbortSignal;
}

/** Within this the loader says hello. */
const greetingMs = 15_000;
/** How long the exit of a command whose stream has ended is waited for. */
const exitMs = 2_000;

/** The command ended before it greeted: it is no Node, or there is none. */
export class NotStarted extends Error {
  readonly exit: { readonly code: number; readonly message: string };
  readonly stderr: string;

  constructor(exit: { readonly code: number; readonly message: string }, stderr: string) {
    super('the command ended before it answered');
    this.exit = exit;
    this.stderr = stderr;
  }
}

/** Throws `NotStarted`, what `check` throws, what the stream was destroyed with. */
export async function startPayload(
  { stream, exit, stderr }: Started,
  { check, payload, why, signal }: PayloadOptions,
): Promise<{ session: Session; greeting: Greeting }> {
  const ended = (cause?: unknown) =>
    within(exit, exitMs).then((known) => {
      if (cause instanceof NodeopsError) return cause;
      return why({ code: known?.code, stderr: stderr(), cause });
    });
  const [text, { greeting, rest }] = await Promise.all([payload(), greet(stream, exit, stderr, signal)]);
  try {
    check(greeting);
  } catch (error) {
    stream.destroy();
    throw error;
  }
  if (rest.length > 0) stream.unshift(rest);
  if (!stream.write(encodePayload(text))) await Promise.race([once(stream, 'drain'), once(stream, 'close')]);
  const expect = (due: boolean) => stream.expectData?.(due);
  return { session: await openSession(stream, { why: ended, expect }), greeting };
}

async function greet(
  stream: Started['stream'],
  exit: Started['exit'],
  stderr: () => string,
  signal: AbortSignal,
): Promise<{ greeting: Greeting; rest: Buffer }> {
  const read = greetingReader();
  stream.expectData?.(true);
  return new Promise((resolve, reject) => {
    const settle = (error: unknown, value?: { greeting: Greeting; rest: Buffer }) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      stream.off('data', data).off('end', end).off('error', fail);
      stream.pause();
      if (value) return resolve(value);
      stream.on('error', () => {});
      stream.destroy();
      reject(error);
    };
    const fail = (error: Error) => settle(error);
    const abort = () => settle(signal.reason);
    const late = new NodeopsError('timeout', `Node.js did not start there within ${greetingMs / 1_000} s`);
    const timer = setTimeout(() => settle(late), greetingMs);
    const data = (chunk: Buffer) => {
      try {
        const greeted = read(chunk);
        if (greeted) settle(undefined, greeted);
      } catch (error) {
        settle(error);
      }
    };
    const end = () => {
      within(exit, exitMs).then(
        (known) => settle(new NotStarted(known ?? { code: -1, message: '' }, stderr())),
        (error) => settle(error),
      );
    };
    signal.addEventListener('abort', abort, { once: true });
    stream.on('data', data).on('end', end).on('error', fail);
    if (signal.aborted) abort();
  });
}

async function within<T>(work: Promise<T>, milliseconds: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, milliseconds, undefined);
  });
  return Promise.race([work.catch(() => undefined), late]).finally(() => clearTimeout(timer));
}
