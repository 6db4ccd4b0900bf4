/** The webhook: reviews over TLS on one port, health and metrics over plain HTTP on another. */
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Refusal, readBody } from './body.ts';
import { followCertificate } from './certificate.ts';
import { webhookLimits } from './limits.ts';
import { type Counted, Metrics } from './metrics.ts';
import { answerReview } from './review.ts';
import type { Settings } from './settings.ts';

export interface WebhookOptions {
  readonly settings: Settings;
  /** Folder with `tls.crt` and `tls.key`; they may come later and may change. */
  readonly certificateFolder: string;
  /** @default 8443 */
  readonly port?: number;
  /** Health and metrics. @default 8080 */
  readonly healthPort?: number;
  /** One line for each thing worth knowing; never the content of a pod. */
  readonly log: (line: string) => void;
  readonly certificatePollMs?: number;
}

export interface Webhook {
  readonly port: number;
  readonly healthPort: number;
  /**
   * Stops: not ready at once, serving for `drainMs` more, then closing. Resolves when nothing listens any more.
   * @default webhookLimits.drainMs
   */
  stop(drainMs?: number): Promise<void>;
}

/** `/mutate` is called for pods that ask; `/mutate-namespace` for pods of a namespace whose label asks. */
const paths: Readonly<Record<string, { namespaceAsks: boolean }>> = {
  '/mutate': { namespaceAsks: false },
  '/mutate-namespace': { namespaceAsks: true },
};

/** Starts the webhook. It is ready once a certificate is there. Throws when a port is taken. */
export async function startWebhook(options: WebhookOptions): Promise<Webhook> {
  const { settings, log, certificateFolder, certificatePollMs } = options;
  const metrics = new Metrics();
  const stopping = new AbortController();
  const state = { bufferedBytes: 0 };

  const { checkIntervalMs: connectionsCheckingInterval, handshakeTimeoutMs: handshakeTimeout } = webhookLimits;
  const tls = { minVersion: 'TLSv1.2', handshakeTimeout, connectionsCheckingInterval } as const;
  const secure = createHttpsServer(tls, (request, response) => {
    const started = performance.now();
    const count = (outcome: Counted) => metrics.observe(outcome, (performance.now() - started) / 1_000);
    // so that who is still connected goes elsewhere
    if (stopping.signal.aborted) response.setHeader('connection', 'close');
    review(request, response, settings, state, log).then(count, (error) => {
      const status = error instanceof Refusal ? error.status : 500;
      count(status === 503 ? 'overloaded' : status === 500 ? 'error' : 'bad-request');
      if (status === 500) log(`review failed: ${error}`);
      // what is left of the body is not waited for
      reply(response, status, 'text/plain', `${error instanceof Error ? error.message : error}\n`, true);
    });
  });
  const plain = createHttpServer({ connectionsCheckingInterval }, (request, response) => {
    const ready = metrics.certificateExpiry !== undefined && !stopping.signal.aborted;
    if (request.url === '/metrics')
      reply(response, 200, 'text/plain; version=0.0.4; charset=utf-8', metrics.render(settings.version));
    else if (request.url === '/healthz') reply(response, 200, 'text/plain', 'ok\n');
    else if (request.url === '/readyz')
      reply(response, ready ? 200 : 503, 'text/plain', ready ? 'ok\n' : 'no certificate, or stopping\n');
    else reply(response, 404, 'text/plain', 'try /healthz, /readyz or /metrics\n');
  });
  for (const server of [secure, plain]) {
    server.maxConnections = webhookLimits.connections;
    server.requestTimeout = webhookLimits.requestTimeoutMs;
    server.headersTimeout = webhookLimits.requestTimeoutMs;
    server.keepAliveTimeout = webhookLimits.idleConnectionMs;
  }
  await Promise.all([listen(secure, options.port ?? 8_443), listen(plain, options.healthPort ?? 8_080)]);

  void followCertificate(
    certificateFolder,
    ({ cert, key, expires }) => {
      secure.setSecureContext({ cert, key, minVersion: 'TLSv1.2' });
      metrics.certificateExpiry = expires.getTime() / 1_000;
      log(`certificate loaded, it expires ${expires.toISOString()}`);
    },
    (error) =>
      log(`certificate in ${certificateFolder} cannot be used: ${error instanceof Error ? error.message : error}`),
    stopping.signal,
    certificatePollMs,
  );

  return {
    port: portOf(secure),
    healthPort: portOf(plain),
    async stop(drainMs = webhookLimits.drainMs) {
      stopping.abort();
      await sleep(drainMs);
      await Promise.all([close(secure), close(plain)]);
    },
  };
}

async function review(
  request: IncomingMessage,
  response: ServerResponse,
  settings: Settings,
  state: { bufferedBytes: number },
  log: (line: string) => void,
): Promise<Counted> {
  const path = paths[(request.url ?? '').split('?', 1)[0]!];
  if (!path) throw new Refusal(404, 'reviews go to /mutate or /mutate-namespace');
  if (request.method !== 'POST') throw new Refusal(405, 'reviews are POST');
  if (!/^application\/json\b/.test(request.headers['content-type'] ?? ''))
    throw new Refusal(415, 'reviews are application/json');
  const decoded = await readBody(request, state);
  let answer: ReturnType<typeof answerReview>;
  try {
    answer = answerReview(decoded, settings, path.namespaceAsks);
  } catch (error) {
    throw new Refusal(400, error instanceof Error ? error.message : String(error));
  }
  if (answer.failure) log(`review ${answer.body.response.uid} was answered without a patch: ${answer.failure}`);
  reply(response, 200, 'application/json', JSON.stringify(answer.body));
  return answer.outcome;
}

function reply(response: ServerResponse, status: number, type: string, body: string, close = false): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    ...(close ? { connection: 'close' } : {}),
  });
  response.end(body);
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const cut = setTimeout(() => server.closeAllConnections(), webhookLimits.closeMs);
  await closed;
  clearTimeout(cut);
}
