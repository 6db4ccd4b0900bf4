/**
 * HTTP/1.1 on the agent's port. `GET /v1/OPERATION?process=SELECTOR&PARAMETER=VALUE`; effects are POST.
 * Every request carries `X-Nodeops: 1`, which a browser does not send cross-site without asking first.
 */
import { isErrorCode, NodeopsError } from './errors.ts';
import type { ErrorEnvelope } from './replies.ts';

export const schema = 'nodeops/v1';
export const pathPrefix = '/v1/';
/** Required on every request; its value is the protocol version the client speaks. */
export const requestHeader = 'x-nodeops';
/** On every reply: the agent's protocol version, so that an older plugin can say so. */
export const replyHeader = 'x-nodeops-protocol';

/**
 * Names a process of the pod: `PID`, `CONTAINER/PID` or `CONTAINER`. Parsed here for both ends.
 * Throws `bad-request` for anything else.
 */
export interface ProcessSelector {
  readonly container: string | undefined;
  readonly pid: number | undefined;
}

export function parseProcessSelector(text: string): ProcessSelector {
  const match =
    /^(?:(?<container>[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?)\/(?<pid>[1-9]\d{0,9})|(?<bare>[1-9]\d{0,9})|(?<name>[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?))$/.exec(
      text,
    );
  if (!match?.groups)
    throw new NodeopsError(
      'bad-request',
      `'${text.slice(0, 64)}' names no process; it takes PID, CONTAINER or CONTAINER/PID`,
    );
  const { container, pid, bare, name } = match.groups;
  if (bare) return { container: undefined, pid: Number(bare) };
  return { container: container ?? name, pid: pid ? Number(pid) : undefined };
}

export function matchesSelector(
  selector: ProcessSelector,
  process: { container: string | null; pid: number },
): boolean {
  if (selector.container !== undefined && selector.container !== process.container) return false;
  return selector.pid === undefined || selector.pid === process.pid;
}

export function encodeError(error: NodeopsError): ErrorEnvelope {
  return {
    schema,
    error: {
      code: error.code,
      message: error.message,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      ...(error.detail === undefined ? {} : { detail: error.detail }),
    },
  };
}

/** The error an agent replied with; an unknown code (a newer agent's) becomes `failed`. */
export function decodeError(body: unknown): NodeopsError | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const { error } = body as Partial<ErrorEnvelope>;
  if (typeof error !== 'object' || error === null || typeof error.message !== 'string') return undefined;
  return new NodeopsError(isErrorCode(error.code) ? error.code : 'failed', error.message, {
    ...(typeof error.hint === 'string' ? { hint: error.hint } : {}),
    ...(typeof error.detail === 'object' && error.detail !== null ? { detail: error.detail } : {}),
  });
}
