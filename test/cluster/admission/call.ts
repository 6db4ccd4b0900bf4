/** The request to a webhook: HTTPS to a Service of the cluster or to a URL, with the authority that its configuration names. */
import { request } from 'node:https';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Json } from '../api/types.ts';

/** Connects to a port of a Service, as the node's proxy would. Throws with Go's words for a refused connection. */
export type DialService = (namespace: string, name: string, port: number) => Promise<Socket>;

/** A longer answer is refused. */
const answerLimitBytes = 3 * 1024 * 1024;

/** The body of a 200 answer. Throws why there is none, naming the URL. */
export async function callWebhook(
  { url, service, caBundle }: Json,
  body: string,
  timeoutMs: number,
  dial: DialService,
): Promise<string> {
  const { namespace, name, port = 443, path = '/' } = service ?? {};
  const target = new URL(url ?? `https://${name}.${namespace}.svc:${port}${path}`);
  target.searchParams.set('timeout', `${Math.ceil(timeoutMs / 1000)}s`);
  const shown = service ? `https://${name}.${namespace}.svc:${port}${target.pathname}${target.search}` : target.href;
  const deadline = AbortSignal.timeout(timeoutMs);
  try {
    const socket = service ? await withDeadline(dial(namespace, name, port), deadline) : undefined;
    return await post(target, body, deadline, socket, caBundle);
  } catch (error) {
    throw new Error(`failed to call webhook: Post ${JSON.stringify(shown)}: ${reasonOf(error, deadline)}`);
  }
}

function post(
  target: URL,
  body: string,
  signal: AbortSignal,
  socket: Socket | undefined,
  caBundle?: string,
): Promise<string> {
  const ca = caBundle ? { ca: Buffer.from(caBundle, 'base64') } : {};
  const servername = target.hostname;
  return new Promise((resolve, reject) => {
    const asked = request(
      target,
      {
        method: 'POST',
        signal,
        servername,
        ...ca,
        ...(socket ? { createConnection: () => connectTls({ socket, servername, ...ca }) } : { agent: false }),
        headers: {
          'user-agent': 'kube-apiserver-admission',
          accept: 'application/json, */*',
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
        },
      },
      (response) => {
        let [text, length] = ['', 0];
        response.setEncoding('utf8').on('data', (part: string) => {
          length += Buffer.byteLength(part);
          if (length > answerLimitBytes) response.destroy(new Error('the answer is too long'));
          else text += part;
        });
        response.on('error', reject).on('end', () => {
          if (response.statusCode === 200) resolve(text);
          else reject(new Error(text.trim() || `the server answered ${response.statusCode}`));
        });
      },
    );
    asked.on('error', reject).on('close', () => socket?.destroy());
    asked.end(body);
  });
}

async function withDeadline(dialing: Promise<Socket>, signal: AbortSignal): Promise<Socket> {
  // a connection that comes too late is of no use any more
  dialing.then((socket) => signal.aborted && socket.destroy()).catch(() => {});
  return Promise.race([
    dialing,
    new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true })),
  ]);
}

function reasonOf(error: unknown, deadline: AbortSignal): string {
  if (deadline.aborted) return 'context deadline exceeded';
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `tls: failed to verify certificate: x509: ${message}`;
  if (/^(DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|CERT_)/.test(code ?? ''))
    return `tls: failed to verify certificate: x509: certificate signed by unknown authority (${message})`;
  return message;
}
