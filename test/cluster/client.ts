/** A plain HTTPS client of a cluster, for tests that look at bytes and statuses; and its WebSockets. */
import { readFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { Agent, request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';
import type { Json } from './api/types.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Parsed where it is JSON. */
  readonly body: Json;
}

export interface Credentials {
  readonly server: string;
  readonly ca: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly token?: string;
}

const untilTimeoutMs = 30_000;

export function openClient(kubeconfig: string): Client {
  const { clusters, users } = parse(readFileSync(kubeconfig, 'utf8'));
  const decode = (text: string) => Buffer.from(text, 'base64');
  const { cluster } = clusters[0];
  const { user } = users[0];
  return new Client({
    server: cluster.server,
    ca: decode(cluster['certificate-authority-data']),
    cert: decode(user['client-certificate-data']),
    key: decode(user['client-key-data']),
  });
}

export class Client {
  readonly credentials: Credentials;
  readonly #agent: Agent;

  constructor(credentials: Credentials) {
    this.credentials = credentials;
    const { ca, cert, key } = credentials;
    this.#agent = new Agent({ ca, ...(cert && key ? { cert, key } : {}), keepAlive: false });
  }

  /** The same server with a token, or with nothing at all. */
  withToken(token: string | undefined): Client {
    const { server, ca } = this.credentials;
    return new Client({ server, ca, ...(token === undefined ? {} : { token }) });
  }

  async asServiceAccount(namespace: string, name: string, seconds = 3600): Promise<Client> {
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
    const { status } = await this.create(path, { spec: { expirationSeconds: seconds } });
    return this.withToken(status.token);
  }

  headers(more: Record<string, string> = {}): Record<string, string> {
    const { token } = this.credentials;
    return { ...(token ? { authorization: `Bearer ${token}` } : {}), ...more };
  }

  request(method: string, path: string, body?: Json, headers: Record<string, string> = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const json = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
      const type = json === undefined ? {} : { 'content-type': 'application/json' };
      const asked = request(
        new URL(path, this.credentials.server),
        { method, agent: this.#agent, headers: this.headers({ ...type, ...headers }) },
        (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (part) => (text += part));
          response.on('error', reject).on('end', () => {
            const isJson = response.headers['content-type']?.includes('json');
            const lines = /[?&]watch=/.test(path);
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: isJson && !lines ? JSON.parse(text) : text,
            });
          });
        },
      );
      asked.on('error', reject).end(json);
    });
  }

  /** Throws for any status but 2xx. */
  async #must(method: string, path: string, body?: Json, headers?: Record<string, string>): Promise<Json> {
    const answer = await this.request(method, path, body, headers);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  get(path: string): Promise<Json> {
    return this.#must('GET', path);
  }
  create(path: string, object: Json): Promise<Json> {
    return this.#must('POST', path, object);
  }
  patch(path: string, patch: Json, type = 'application/strategic-merge-patch+json'): Promise<Json> {
    return this.#must('PATCH', path, patch, { 'content-type': type });
  }
  delete(path: string): Promise<Json> {
    return this.#must('DELETE', path);
  }

  /** Asks until the answer satisfies, and returns it. Throws with the last one after 30 s. */
  async until(path: string, satisfied: (body: Json) => unknown): Promise<Json> {
    const deadline = Date.now() + untilTimeoutMs;
    for (;;) {
      const { body } = await this.request('GET', path);
      if (satisfied(body)) return body;
      if (Date.now() > deadline)
        throw new Error(`${path} did not become as expected: ${JSON.stringify(body.status ?? body)}`);
      await sleep(50);
    }
  }

  /** The lines of a watch that ends by itself. */
  async lines(path: string): Promise<Json[]> {
    const { body } = await this.request('GET', path);
    return (body as string)
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  }
}
