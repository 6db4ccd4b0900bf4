/** Opens a WebSocket to the API server, with its credentials; refusals become `Rejection`s. */
import type { IncomingMessage } from 'node:http';
import type { WebSocket } from 'ws';
import type { KubeApi } from './api.ts';
import { exchangeLimits, readBody } from './exchange.ts';
import { gaveUp, unanswered, unreachable } from './failure.ts';
import { parseStatus, type Status } from './status.ts';

export const socketLimits = {
  /** One message from the server; it sends at most 32 KiB, a proxy may join some. */
  inboundMessageBytes: 4 * 1024 * 1024,
  /** Body of a refusal. */
  rejectionBytes: 256 * 1024,
} as const;

/** The server answered the handshake with an HTTP status; the caller knows what that means for its subject. */
export class Rejection extends Error {
  readonly httpStatus: number;
  readonly status: Status;

  constructor(httpStatus: number, status: Status) {
    super(status.message ?? `HTTP ${httpStatus}`);
    this.httpStatus = httpStatus;
    this.status = status;
  }
}

/**
 * Resolves when the socket is open, paused so that no message is lost before somebody listens.
 * Throws `Rejection`, or NodeopsError `unreachable`, `timeout`, `kubeconfig`, `unauthenticated`; `interrupted`.
 */
export async function openSocket(
  api: KubeApi,
  path: string,
  query: readonly (readonly [string, string])[],
  protocols: readonly string[],
  signal: AbortSignal,
): Promise<WebSocket> {
  if (signal.aborted) throw gaveUp(api.connection, signal);
  const [{ WebSocket }, { headers, tls, agent }] = await Promise.all([import('ws'), api.credentials()]);
  if (signal.aborted) throw gaveUp(api.connection, signal);
  const url = api.url(path);
  for (const [name, value] of query) url.searchParams.append(name, value);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  // connect, TLS and handshake
  const timeoutMs = api.connection.requestTimeoutMs ?? exchangeLimits.requestTimeoutMs;
  const socket = new WebSocket(url, [...protocols], {
    ...tls,
    agent,
    headers: { ...headers, 'User-Agent': 'kubectl-nodeops' },
    perMessageDeflate: false,
    maxPayload: socketLimits.inboundMessageBytes,
    handshakeTimeout: timeoutMs,
    followRedirects: false,
  });
  const failed = (error: Error) =>
    error.message === 'Opening handshake has timed out'
      ? unanswered(api.connection, url.pathname, timeoutMs, error)
      : unreachable(api.connection, error);
  return new Promise((resolve, reject) => {
    const settle = (done: () => void) => {
      signal.removeEventListener('abort', abort);
      done();
    };
    const abort = () =>
      settle(() => {
        socket.terminate();
        reject(gaveUp(api.connection, signal));
      });
    signal.addEventListener('abort', abort, { once: true });
    // stays for the socket's life: after a failed handshake ws reports the termination as an error
    socket.on('error', (error) => settle(() => reject(failed(error))));
    socket.once('unexpected-response', (_, response: IncomingMessage) => {
      response.on('error', () => {});
      readBody(response, socketLimits.rejectionBytes)
        .catch(() => Buffer.alloc(0))
        .then((body) => settle(() => reject(new Rejection(response.statusCode ?? 0, parseStatus(body.toString())))))
        .finally(() => socket.terminate());
    });
    socket.once('open', () => {
      socket.pause();
      settle(() => resolve(socket));
    });
  });
}
