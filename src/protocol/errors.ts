/** One error class for both ends; its codes are stable, decide HTTP status and exit code, and are listed in docs/errors.md. */

interface CodeFacts {
  /** HTTP status when an agent answers with it. */
  readonly status: number;
  /** Exit code of the plugin. 1 failed, 2 bad input, 3 some of several targets failed, 4 not allowed, 5 not reachable. */
  readonly exit: number;
}

export const errorCodes = {
  // said by agents
  'bad-request': { status: 400, exit: 2 },
  unauthorized: { status: 401, exit: 4 },
  'not-permitted': { status: 403, exit: 4 },
  'no-such-operation': { status: 404, exit: 1 },
  'no-such-process': { status: 404, exit: 1 },
  'no-such-job': { status: 404, exit: 1 },
  'ambiguous-process': { status: 409, exit: 2 },
  busy: { status: 409, exit: 1 },
  'too-large': { status: 413, exit: 1 },
  refused: { status: 422, exit: 1 },
  internal: { status: 500, exit: 1 },
  unsupported: { status: 501, exit: 1 },
  stuck: { status: 503, exit: 1 },
  timeout: { status: 504, exit: 1 },
  'no-space': { status: 507, exit: 1 },
  // said by the plugin
  usage: { status: 400, exit: 2 },
  failed: { status: 500, exit: 1 },
  'nothing-matched': { status: 404, exit: 1 },
  'no-such-pod': { status: 404, exit: 1 },
  'no-such-container': { status: 404, exit: 2 },
  'ambiguous-container': { status: 409, exit: 2 },
  'ambiguous-target': { status: 409, exit: 2 },
  'some-failed': { status: 500, exit: 3 },
  forbidden: { status: 403, exit: 4 },
  unauthenticated: { status: 401, exit: 4 },
  kubeconfig: { status: 400, exit: 4 },
  'pod-not-running': { status: 409, exit: 5 },
  'no-agent': { status: 502, exit: 5 },
  unreachable: { status: 502, exit: 5 },
  stalled: { status: 504, exit: 5 },
  'newer-protocol': { status: 505, exit: 5 },
  'local-file': { status: 500, exit: 1 },
  interrupted: { status: 499, exit: 130 },
} as const satisfies Record<string, CodeFacts>;

export type ErrorCode = keyof typeof errorCodes;

export interface ErrorOptions {
  readonly cause?: unknown;
  /** What to type or change next: a command or one sentence, shown after the message. */
  readonly hint?: string;
  /** Exact facts for machines (`-o json`), such as the choices of an ambiguity. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** What went wrong, in one sentence that names its subject (pod, container, pid), without a final full stop. */
export class NodeopsError extends Error {
  override readonly name = 'NodeopsError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly detail: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.detail = options.detail;
  }

  get httpStatus(): number {
    return errorCodes[this.code].status;
  }
  get exitCode(): number {
    return errorCodes[this.code].exit;
  }
}

export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(errorCodes, code);
}

/** The error itself if it is ours, else an `internal` one around it. */
export function asNodeopsError(error: unknown): NodeopsError {
  if (error instanceof NodeopsError) return error;
  return new NodeopsError('internal', error instanceof Error ? error.message : String(error), { cause: error });
}
