/** A small REST client for the API server: deadlines, size limits and errors that say what to do. */
import http from 'node:http';
import https from 'node:https';
import { NodeopsError } from '../../protocol/errors.ts';
import type { Connection } from './config.ts';
import { type Credentials, loadCredentials } from './credentials.ts';
import { gaveUp, unauthenticated, unreachable } from './failure.ts';
import { forbidden, parseForbidden, parseStatus, type Right, refused, type Status } from './status.ts';

export const apiLimits = {
  /** Within this a REST call is answered, unless --request-timeout says otherwise. */
  requestTimeoutMs: 30_000,
  /** Body of one reply: a page of 500 large pods is below 20 MB. */
  replyBytes: 64 * 1024 * 1024,
  /** Items asked for at a time. */
  pageItems: 500,
  /** Further tries of a GET whose connection was reset before it was answered. */
  retries: 2,
} as const;

export interface RequestOptions {
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly signal?: AbortSignal | undefined;
  /** Named in the hint when the server forbids it without saying what is missing. */
  readonly rights?: readonly Right[];
}
interface Call extends RequestOptions {
  readonly method: 'GET' | 'POST' | 'PATCH';
  readonly path: string;
  readonly body?: string;
  readonly contentType?: string;
}
interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

export interface ApiSurroundings {
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Where a credential plugin's own messages go. */
  readonly stderr?: NodeJS.WritableStream;
}

/** Talks to one API server as one user. Paths begin with `/api` or `/apis`. */
export class KubeApi {
  readonly connection: Connection;
  readonly #now: () => number;
  readonly #stderr: NodeJS.WritableStream | undefined;
  #credentials: Promise<Credentials> | undefined;

  constructor(connection: Connection, { now = Date.now, stderr }: ApiSurroundings = {}) {
    this.connection = connection;
    this.#now = now;
    this.#stderr = stderr;
  }

  /** Read once; throws `kubeconfig` or `unauthenticated`. */
  credentials(): Promise<Credentials> {
    this.#credentials ??= loadCredentials(this.connection, this.#stderr);
    return this.#credentials;
  }

  /** Throws `forbidden`, `unauthenticated`, `unreachable`, `nothing-matched` (404), `timeout`, `failed`. */
  async get<T>(path: string, options: RequestOptions = {}): Promise<T> {
    return this.#json({ ...options, method: 'GET', path });
  }

  /** As `get`, with the time the server answered at, for judging ages by its clock. */
  async getDated<T>(path: string, options: RequestOptions = {}): Promise<{ value: T; atMs: number }> {
    const call: Call = { ...options, method: 'GET', path };
    const answer = await this.#answer(call);
    const date = Date.parse(answer.headers.date ?? '');
    return { value: this.#parse(call, answer), atMs: Number.isNaN(date) ? this.#now() : date };
  }

  /** All items of a collection, page by page. */
  async *list<T>(path: string, options: RequestOptions = {}): AsyncGenerator<T> {
    let next: string | undefined;
    do {
      const query = { ...options.query, limit: apiLimits.pageItems, continue: next };
      const page = await this.get<{ items?: T[] | null; metadata?: { continue?: string } }>(path, {
        ...options,
        query,
      });
      yield* page.items ?? [];
      next = page.metadata?.continue || undefined;
    } while (next !== undefined);
  }

  async post<T>(path: string, body: unknown, options: RequestOptions = {}): Promise<T> {
    return this.#json({
      ...options,
      method: 'POST',
      path,
      body: JSON.stringify(body),
      contentType: 'application/json',
    });
  }

  /** A strategic merge patch unless `contentType` says otherwise. */
  async patch<T>(path: string, body: unknown, options: RequestOptions & { contentType?: string } = {}): Promise<T> {
    const contentType = options.contentType ?? 'application/strategic-merge-patch+json';
    return this.#json({ ...options, method: 'PATCH', path, body: JSON.stringify(body), contentType });
  }

  /** URL of a path below the server's own (`https://host/k8s/clusters/c-1`). */
  url(path: string, query: RequestOptions['query'] = {}): URL {
    const url = new URL(this.connection.server);
    url.pathname = url.pathname.replace(/\/$/, '') + path;
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.append(name, String(value));
    return url;
  }

  /** The error for a refusal: of a REST call, or of a WebSocket's handshake. `what` is a method and path. */
  async explain(
    httpStatus: number,
    status: Status,
    what: string,
    rights: readonly Right[] = [],
  ): Promise<NodeopsError> {
    if (httpStatus === 401) return unauthenticated(this.connection, await this.credentials(), this.#now());
    if (httpStatus === 403) return this.#forbidden(status, rights);
    return refused(this.connection, httpStatus, status, what);
  }

  /** Closes kept-alive connections. */
  async close(): Promise<void> {
    const credentials = await this.#credentials?.catch(() => undefined);
    credentials?.agent.destroy();
  }

  async #json<T>(call: Call): Promise<T> {
    return this.#parse(call, await this.#answer(call));
  }

  async #answer(call: Call): Promise<Answer> {
    const answer = await this.#send(call);
    if (answer.status < 300) return answer;
    throw await this.explain(answer.status, parseStatus(answer.body), `${call.method} ${call.path}`, call.rights);
  }

  #parse<T>(call: Call, { body }: Answer): T {
    try {
      return JSON.parse(body) as T;
    } catch (cause) {
      const { server, source, kubectl } = this.connection;
      throw new NodeopsError(
        'unreachable',
        `${server.origin} (${source}) answered ${call.path} with something that is not JSON`,
        {
          cause,
          hint: `${kubectl} version`,
        },
      );
    }
  }

  async #send(call: Call): Promise<Answer> {
    const credentials = await this.credentials();
    const timeoutMs = this.connection.requestTimeoutMs ?? apiLimits.requestTimeoutMs;
    const deadline = AbortSignal.timeout(timeoutMs);
    const signal = call.signal ? AbortSignal.any([call.signal, deadline]) : deadline;
    for (let left: number = call.method === 'GET' ? apiLimits.retries : 0; ; left--) {
      try {
        return await exchange(this.url(call.path, call.query), call, credentials, signal);
      } catch (error) {
        if (call.signal?.aborted) throw gaveUp(this.connection, call.signal);
        if (deadline.aborted)
          throw new NodeopsError(
            'timeout',
            `the API server ${this.connection.server.origin} did not answer ${call.path} within ${timeoutMs} ms`,
            {
              cause: error,
              hint: `${this.connection.kubectl} get --raw /readyz, or a longer --request-timeout`,
            },
          );
        const { code } = error as NodeJS.ErrnoException;
        if (left <= 0 || (code !== 'ECONNRESET' && code !== 'EPIPE')) throw unreachable(this.connection, error);
      }
    }
  }

  async #forbidden(status: Status, rights: readonly Right[]): Promise<NodeopsError> {
    const said = parseForbidden(status.message ?? '');
    // where anonymous requests are let in, a request without credentials is not answered with 401
    if (said?.user === 'system:anonymous')
      return unauthenticated(this.connection, await this.credentials(), this.#now());
    if (said) return forbidden(this.connection, said, rights);
    const [user, answers] = await Promise.all([this.#whoAmI(), Promise.all(rights.map((right) => this.#may(right)))]);
    const missing = rights.find((_, index) => answers[index] === false);
    if (missing) return forbidden(this.connection, { user, right: missing }, rights);
    const right = rights[0];
    const { kubectl } = this.connection;
    return new NodeopsError(
      'forbidden',
      `the API server forbids it: ${status.message?.replace(/: $/, '') || 'it says no more'}`,
      {
        hint: right
          ? `${kubectl} auth can-i ${right.verb} ${right.resource}${right.subresource ? ` --subresource=${right.subresource}` : ''}${right.namespace ? ` -n ${right.namespace}` : ''}`
          : `${kubectl} auth can-i --list`,
      },
    );
  }

  /** undefined: the server would not say */
  async #may({ verb, resource, subresource, group, namespace }: Right): Promise<boolean | undefined> {
    const resourceAttributes = { verb, resource, subresource, group, namespace };
    const review = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes },
    };
    const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
    const answer = await this.#review<{ status?: { allowed?: boolean } }>(path, review);
    return answer?.status?.allowed;
  }

  async #whoAmI(): Promise<string | undefined> {
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
    const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
    const answer = await this.#review<{ status?: { userInfo?: { username?: string } } }>(path, review);
    return answer?.status?.userInfo?.username;
  }

  async #review<T>(path: string, body: unknown): Promise<T | undefined> {
    const call: Call = { method: 'POST', path, body: JSON.stringify(body), contentType: 'application/json' };
    try {
      const answer = await this.#send(call);
      return answer.status < 300 ? (JSON.parse(answer.body) as T) : undefined;
    } catch {
      // this only words another error better
      return undefined;
    }
  }
}

function exchange(url: URL, call: Call, { headers, tls, agent }: Credentials, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? https : http).request(url, {
      ...tls,
      agent,
      method: call.method,
      signal,
      headers: {
        ...headers,
        Accept: 'application/json',
        'User-Agent': 'kubectl-nodeops',
        ...(call.body !== undefined && {
          'Content-Type': call.contentType,
          'Content-Length': String(Buffer.byteLength(call.body)),
        }),
      },
    });
    request.on('error', reject);
    request.on('response', (response) => {
      readBody(response, apiLimits.replyBytes).then(
        (body) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: body.toString() }),
        reject,
      );
    });
    request.end(call.body);
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
