/** A small REST client for the API server: its verbs, and errors that say what to do. */
import { NodeopsError } from '../../../protocol/errors.ts';
import type { Connection } from './connection.ts';
import { loadCredentials } from './credentials.ts';
import { type Answer, exchange, type Message } from './exchange.ts';
import { unauthenticated } from './failure.ts';
import type { Credentials } from './https-options.ts';
import {
  forbidden,
  isForeign,
  notKubernetes,
  parseForbidden,
  parseStatus,
  type Right,
  refused,
  type Status,
} from './status.ts';

/** Items of a list asked for at a time. */
const pageItems = 500;
/** More than any cluster has pods: a server that always has one page more does not hold the user for ever. */
const mostPages = 1_000;

export interface RequestOptions {
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly signal?: AbortSignal | undefined;
  /** Named in the hint when the server forbids it without saying what is missing. */
  readonly rights?: readonly Right[];
}
interface Call extends RequestOptions, Message {
  readonly path: string;
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
    for (let page = 0; page === 0 || next !== undefined; page++) {
      if (page === mostPages)
        throw new NodeopsError('too-large', `${path} has more than ${mostPages} pages of ${pageItems}`, {
          hint: 'select fewer with -n, -l or --field-selector',
        });
      const query = { ...options.query, limit: pageItems, continue: next };
      const list = await this.get<{ items?: T[] | null; metadata?: { continue?: string } }>(path, {
        ...options,
        query,
      });
      yield* list.items ?? [];
      next = list.metadata?.continue || undefined;
    }
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
    if (isForeign(httpStatus, status, what)) return notKubernetes(this.connection, httpStatus, what);
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

  #parse<T>(call: Call, { body, status }: Answer): T {
    try {
      return JSON.parse(body) as T;
    } catch (cause) {
      throw notKubernetes(this.connection, status, `${call.method} ${call.path}`, cause);
    }
  }

  async #send(call: Call): Promise<Answer> {
    const url = this.url(call.path, call.query);
    return exchange(this.connection, await this.credentials(), url, call, call.signal);
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
