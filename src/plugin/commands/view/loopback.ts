/** What the browser is shown: a server on 127.0.0.1 whose addresses nobody can guess, that ends by itself. */
import { randomBytes } from 'node:crypto';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { NodeopsError } from '../../../protocol/errors.ts';

/** Milliseconds without a request after which it ends. */
export const idleMs = 600_000;

export interface Served {
  readonly url: string;
  /** Resolves once it serves no more, to whether it was idle. */
  readonly closed: Promise<{ idle: boolean }>;
}

/** A request by its name behind the secret part of the address, percent signs and all; empty for the page itself. */
export interface Asked {
  readonly name: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

export interface ServeOptions {
  readonly signal: AbortSignal;
  /** Content-Security-Policy of all that is served. */
  readonly policy: string;
  /** What rejects or throws ends the connection. */
  readonly answer: (asked: Asked) => void | Promise<void>;
  /** @default idleMs */
  readonly idleMs?: number | undefined;
}

/** Serves until the signal or until nobody asks any more. Throws `failed` when no port can be opened. */
export async function serveOnLoopback({ signal, policy, answer, ...options }: ServeOptions): Promise<Served> {
  const token = randomBytes(24).toString('base64url');
  const root = `/${token}/`;
  const server = http.createServer((request, response) => {
    idle.refresh();
    response.setHeader('Content-Security-Policy', policy);
    response.setHeader('X-Content-Type-Options', 'nosniff');
    response.setHeader('Referrer-Policy', 'no-referrer');
    response.setHeader('Cross-Origin-Resource-Policy', 'same-origin');
    response.setHeader('Cache-Control', 'no-store');
    // a name that an attacker's DNS points to 127.0.0.1 arrives here with that name
    if (request.headers.host !== `127.0.0.1:${portOf(server)}`) return refuse(response, 403);
    if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(response, 405);
    const [path = ''] = (request.url ?? '').split(/[?#]/);
    if (!path.startsWith(root)) return refuse(response, 404);
    Promise.resolve({ name: path.slice(root.length), request, response })
      .then(answer)
      .catch(() => response.destroy());
  });
  let wasIdle = false;
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  const idle = setTimeout(() => {
    wasIdle = true;
    close();
  }, options.idleMs ?? idleMs);
  const closed = new Promise<{ idle: boolean }>((resolve) => {
    server.on('close', () => {
      clearTimeout(idle);
      signal.removeEventListener('abort', close);
      resolve({ idle: wasIdle });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  }).catch((cause) => {
    clearTimeout(idle);
    throw new NodeopsError('failed', `cannot serve on 127.0.0.1: ${(cause as Error).message}`, { cause });
  });
  if (signal.aborted) close();
  else signal.addEventListener('abort', close, { once: true });
  return { url: `http://127.0.0.1:${portOf(server)}${root}`, closed };
}

export function refuse(response: ServerResponse, status: number): void {
  response.writeHead(status).end();
}

function portOf(server: http.Server): number | undefined {
  return (server.address() as AddressInfo | null)?.port;
}
