/** One request and its answer over HTTP: its deadline, its size limit, and further tries of reads that a server asks for. */
import http from 'node:http';
import https from 'node:https';
import { setTimeout as wait } from 'node:timers/promises';
import { NodeopsError } from '../../../protocol/errors.ts';
import type { Connection } from './connection.ts';
import { gaveUp, unanswered, unreachable } from './failure.ts';
import type { Credentials } from './https-options.ts';

export const exchangeLimits = {
  /** Within this a REST call is answered, unless --request-timeout says otherwise. */
  requestTimeoutMs: 30_000,
  /** Body of one reply: a page of 500 large pods is below 20 MB. */
  replyBytes: 64 * 1024 * 1024,
  /** Further tries of a GET whose connection was reset before it was answered, or that is to come again later. */
  retries: 3,
} as const;

export interface Message {
  readonly method: 'GET' | 'POST' | 'PATCH';
  readonly body?: string;
  readonly contentType?: string;
}
export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** Any answer, a refusal too. Throws `unreachable`, `timeout`, `too-large`; what `given` was aborted with. */
export async function exchange(
  connection: Connection,
  credentials: Credentials,
  url: URL,
  message: Message,
  given: AbortSignal | undefined,
): Promise<Answer> {
  const timeoutMs = connection.requestTimeoutMs ?? exchangeLimits.requestTimeoutMs;
  const endMs = performance.now() + timeoutMs;
  const deadline = AbortSignal.timeout(timeoutMs);
  const signal = given ? AbortSignal.any([given, deadline]) : deadline;
  for (let left: number = message.method === 'GET' ? exchangeLimits.retries : 0; ; left--) {
    try {
      const answer = await once(url, message, credentials, signal);
      const laterMs = left > 0 ? retryAfterMs(answer) : undefined;
      if (laterMs === undefined || performance.now() + laterMs >= endMs) return answer;
      await wait(laterMs, undefined, { signal });
    } catch (error) {
      if (given?.aborted) throw gaveUp(connection, given);
      if (deadline.aborted) throw unanswered(connection, url.pathname, timeoutMs, error);
      const { code } = error as NodeJS.ErrnoException;
      if (left <= 0 || (code !== 'ECONNRESET' && code !== 'EPIPE')) throw unreachable(connection, error);
    }
  }
}

/** A server that has too much to do says when to come again; client-go, too, reads whole seconds only. */
function retryAfterMs({ status, headers }: Answer): number | undefined {
  const seconds = headers['retry-after'];
  return (status === 429 || status >= 500) && /^\d{1,6}$/.test(seconds ?? '') ? Number(seconds) * 1_000 : undefined;
}

function once(url: URL, message: Message, { headers, tls, agent }: Credentials, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? https : http).request(url, {
      ...tls,
      agent,
      method: message.method,
      signal,
      headers: {
        ...headers,
        Accept: 'application/json',
        'User-Agent': 'kubectl-nodeops',
        ...(message.body !== undefined && {
          'Content-Type': message.contentType,
          'Content-Length': String(Buffer.byteLength(message.body)),
        }),
      },
    });
    request.on('error', reject);
    request.on('response', (response) => {
      readBody(response, exchangeLimits.replyBytes).then(
        (body) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: body.toString() }),
        reject,
      );
    });
    request.end(message.body);
  });
}

/** A whole body up to `limitBytes`; throws `too-large` beyond. */
export async function readBody(response: AsyncIterable<Buffer>, limitBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    size += chunk.length;
    if (size > limitBytes) throw new NodeopsError('too-large', `the reply is larger than ${limitBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
