/** What went wrong between us and the API server, as one of our errors: network, TLS, 401. */
import { X509Certificate } from 'node:crypto';
import { NodeopsError } from '../../../protocol/errors.ts';
import type { Connection } from './connection.ts';
import type { Credentials } from './https-options.ts';
import { proxyName, proxyTo } from './proxy.ts';

const networkProblems: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was cut',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the host name cannot be resolved',
  ETIMEDOUT: 'no answer',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no network',
};
const tlsProblems: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by an unknown authority',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is signed by an unknown authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is signed by an unknown authority',
  UNABLE_TO_GET_ISSUER_CERT: 'its certificate is signed by an unknown authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is signed by an unknown authority',
  CERT_SIGNATURE_FAILURE: 'its certificate is signed by an unknown authority',
};

/** `unreachable`, naming server and context. */
export function unreachable(connection: Connection, error: unknown): NodeopsError {
  if (error instanceof NodeopsError) return error;
  const { code = '', message } = rootOf(error);
  const tls =
    tlsProblems[code] ??
    (/wrong version number|EPROTO/.test(`${code} ${message}`) ? 'it does not speak TLS' : undefined);
  const proxy = proxyTo(connection);
  const refused = /^Bad response: (\d+)$/.exec(message)?.[1];
  const why = tls ?? networkProblems[code] ?? (proxy && refused ? `the proxy answered ${refused}` : message);
  return new NodeopsError(
    'unreachable',
    `cannot reach the API server ${connection.server.origin} (${connection.source})${proxy ? ` through the proxy ${proxyName(proxy)}` : ''}: ${why}`,
    {
      cause: error,
      hint: tls
        ? 'check certificate-authority and server in the kubeconfig, or give --certificate-authority or --tls-server-name'
        : `${proxy ? `check ${proxy.source}${proxy.source === 'proxy-url' ? ' (--proxy-url, or in the kubeconfig)' : ' and NO_PROXY'}, then: ` : ''}${connection.kubectl} cluster-info`,
    },
  );
}

/** `timeout`: connected or not, there was no answer for as long as one request may take. */
export function unanswered(connection: Connection, path: string, timeoutMs: number, cause: unknown): NodeopsError {
  const message = `the API server ${connection.server.origin} did not answer ${path} within ${timeoutMs} ms`;
  return new NodeopsError('timeout', message, {
    cause,
    hint: `${connection.kubectl} get --raw /readyz, or a longer --request-timeout`,
  });
}

/** What an aborted wait for the API server ends with: `unreachable` when its time was up, else what it was aborted with. */
export function gaveUp(connection: Connection, signal: AbortSignal): Error {
  const { reason } = signal;
  if (reason?.name === 'TimeoutError')
    return unreachable(connection, new Error('no answer in the time given', { cause: reason }));
  return reason instanceof NodeopsError ? reason : new NodeopsError('interrupted', 'interrupted', { cause: reason });
}

/** A refused connect to several addresses of one name is an AggregateError without a message. */
function rootOf(error: unknown): NodeJS.ErrnoException {
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return error.errors[0];
  return error instanceof Error ? error : new Error(String(error));
}

/** `unauthenticated`: whether credentials were sent, which, and whether they can be seen to have expired. */
export function unauthenticated(connection: Connection, credentials: Credentials, nowMs: number): NodeopsError {
  const { kubectl, server, source } = connection;
  const expired = expiryOf(credentials, nowMs);
  const message =
    credentials.kind === 'no credentials'
      ? `the API server ${server.origin} (${source}) wants credentials and none were sent`
      : `the API server ${server.origin} (${source}) does not accept ${credentials.kind}${expired ? `, which expired at ${expired}` : ''}`;
  return new NodeopsError('unauthenticated', message, {
    hint: expired ? `log in again, then check with: ${kubectl} auth whoami` : `${kubectl} auth whoami`,
    detail: { credentials: credentials.kind, ...(expired && { expiredAt: expired }) },
  });
}

/** ISO time at which the sent token or certificate expired, if it is visibly in the past. */
function expiryOf({ headers, tls }: Credentials, nowMs: number): string | undefined {
  const times: number[] = [];
  const payload = /^Bearer [\w-]+\.([\w-]+)\.[\w-]*$/.exec(String(headers.Authorization ?? ''))?.[1];
  try {
    if (payload) times.push(JSON.parse(Buffer.from(payload, 'base64url').toString()).exp * 1_000);
    if (tls.cert) times.push(Date.parse(new X509Certificate(tls.cert).validTo));
  } catch {
    // a token or certificate that cannot be read has no visible expiry
  }
  const past = times.find((time) => time <= nowMs);
  return past === undefined ? undefined : new Date(past).toISOString();
}
