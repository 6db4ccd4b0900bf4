/** Asks an agent: HTTP/1.1 over an Endpoint's connections, replies decoded, failures as NodeopsErrors. */
import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { asNodeopsError, NodeopsError } from '../../protocol/errors.ts';
import { protocolVersion } from '../../protocol/limits.ts';
import { type Operation, type OperationName, operations, type Parameters } from '../../protocol/operations.ts';
import { formatParameters } from '../../protocol/parameters.ts';
import type { Envelope, Replies } from '../../protocol/replies.ts';
import { decodeError, pathPrefix, replyHeader, schema } from '../../protocol/wire.ts';
import type { Endpoint } from '../target.ts';
import { EndpointConnections } from './connections.ts';
import { type AgentRequest, Cut, exchange, Garbage, readReply } from './exchange.ts';
import { garbage, goStranger, httpStranger, silentStranger } from './strangers.ts';
import { problemOf } from './validate.ts';

/** How soon an agent that is only just starting is looked for again. */
const comingMs = 300;

/** From the question until the whole reply, connecting included; durations among the parameters are added. */
export const askTimeoutMs = 15_000;

export interface AskOptions {
  /** Selector of the process: `PID`, `CONTAINER`, `CONTAINER/PID`. */
  readonly process?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** @default askTimeoutMs and the durations asked for */
  readonly timeoutMs?: number | undefined;
}

export interface RequestOptions extends AgentRequest {
  readonly signal?: AbortSignal | undefined;
  /** Until the reply's head; the body is up to the reader. @default askTimeoutMs */
  readonly timeoutMs?: number | undefined;
}

export class AgentClient {
  readonly endpoint: Endpoint;
  readonly #connections: EndpointConnections;

  constructor(endpoint: Endpoint) {
    this.endpoint = endpoint;
    this.#connections = new EndpointConnections(endpoint);
  }

  /**
   * One operation's reply. A read whose connection is cut is asked once more.
   * Throws what the agent said, `timeout`, `interrupted`, `newer-protocol`, `no-agent`, and what `Endpoint.connect` throws.
   */
  async ask<N extends OperationName>(
    name: N,
    parameters: Partial<Parameters<N>> = {},
    { process, signal, timeoutMs = askTimeoutMs + waitOf(name, parameters) }: AskOptions = {},
  ): Promise<Envelope<Replies[N]>> {
    const query = new URLSearchParams(formatParameters({ process, ...parameters })).toString();
    const method = operations[name].effect === 'read' ? 'GET' : 'POST';
    const path = `${pathPrefix}${name}${query && `?${query}`}`;
    const limit = either(signal, AbortSignal.timeout(timeoutMs));
    const body = await this.#trying(method === 'GET', limit, async () =>
      readReply(await this.#exchange({ method, path }, limit)),
    );
    const reply = parseJson(body) as Partial<Envelope<Replies[N]>> | undefined;
    if (reply?.schema !== schema)
      throw new NodeopsError('failed', `the agent of ${this.endpoint.name} sent a reply that is not ${schema}`, {
        detail: { body: body.slice(0, 200) },
      });
    const problem = problemOf(name, reply);
    if (problem === undefined) return reply as Envelope<Replies[N]>;
    throw new NodeopsError('failed', `the agent of ${this.endpoint.name} sent a reply to ${name} that cannot be read`, {
      hint: `${problem}; is its agent of another version? compare with: version`,
    });
  }

  /**
   * Any request, for replies that stream; the caller reads the body or destroys it. Errors are thrown as by `ask`.
   * A body cut in the middle is the reader's to notice: `response.socket.errored` says why where that is known.
   */
  async request({ signal, timeoutMs = askTimeoutMs, ...request }: RequestOptions): Promise<IncomingMessage> {
    const head = new AbortController();
    const timer = setTimeout(() => head.abort(new DOMException('no reply in time', 'TimeoutError')), timeoutMs);
    const limit = either(signal, head.signal);
    try {
      return await this.#trying(request.method === 'GET', limit, () => this.#exchange(request, limit));
    } finally {
      clearTimeout(timer);
    }
  }

  /** Closes the connections. */
  close(): void {
    this.#connections.destroy();
  }

  async #trying<T>(safe: boolean, limit: AbortSignal, attempt: () => Promise<T>): Promise<T> {
    const started = performance.now();
    for (let left = safe ? 1 : 0; ; left--) {
      try {
        return await attempt();
      } catch (error) {
        if (limit.aborted && !(error instanceof NodeopsError))
          throw this.#gaveUp(limit.reason, performance.now() - started);
        if (error instanceof Garbage) throw garbage(this.endpoint, error.first);
        if (wasReset(error)) throw (await goStranger(this.endpoint, limit)) ?? error;
        if (isComing(error) && (await waited(comingMs, limit))) {
          // nobody has heard the question
          left++;
          continue;
        }
        if (!(error instanceof Cut)) throw await this.#explained(asNodeopsError(error));
        // before asking again: through a port-forward every close that is waited for takes a second
        const go = error.answered ? undefined : await goStranger(this.endpoint, limit);
        if (go) throw go;
        if (left > 0) continue;
        if (!error.answered) throw silentStranger(this.endpoint);
        const message = `the connection to ${this.endpoint.name} was cut in the middle of its reply`;
        throw new NodeopsError('unreachable', message, { cause: error.cause, hint: 'try again' });
      }
    }
  }

  #gaveUp(reason: unknown, elapsedMs: number): NodeopsError {
    if (reason instanceof NodeopsError) return reason;
    if ((reason as Error | undefined)?.name !== 'TimeoutError')
      return new NodeopsError('interrupted', 'interrupted', { cause: reason });
    const message = `the agent of ${this.endpoint.name} did not answer within ${(elapsedMs / 1_000).toFixed(1)} s`;
    return new NodeopsError('timeout', message, { cause: reason, hint: 'try again, or allow more with --timeout' });
  }

  async #explained(error: NodeopsError): Promise<NodeopsError> {
    return (await this.endpoint.explain?.(error)) ?? error;
  }

  /** Resolves to a reply of our agent that is no error. */
  async #exchange(request: AgentRequest, limit: AbortSignal): Promise<IncomingMessage> {
    const response = await exchange(this.#connections, request, limit);
    const version = Number(response.headers[replyHeader] ?? Number.NaN);
    if (!Number.isInteger(version) || version > protocolVersion) {
      response.destroy();
      throw Number.isInteger(version) ? this.#newer(version) : httpStranger(this.endpoint, response);
    }
    const status = response.statusCode ?? 500;
    if (status < 400) return response;
    throw (
      decodeError(parseJson(await readReply(response))) ??
      new NodeopsError('failed', `the agent of ${this.endpoint.name} answered ${status} without saying why`)
    );
  }

  #newer(version: number): NodeopsError {
    const message = `the agent of ${this.endpoint.name} speaks protocol ${version}, this plugin only ${protocolVersion}`;
    return new NodeopsError('newer-protocol', message, {
      hint: 'update the plugin: kubectl krew upgrade nodeops, or npm install --global nodeops@latest',
      detail: { agent: version, plugin: protocolVersion },
    });
  }
}

/** A pod whose agent is on its way: its container has only just been started. */
function isComing(error: unknown): boolean {
  return error instanceof NodeopsError && error.code === 'no-agent' && error.detail?.coming === true;
}

/** False where the time is up, or somebody has interrupted it. */
function waited(milliseconds: number, limit: AbortSignal): Promise<boolean> {
  return sleep(milliseconds, true, { signal: limit }).catch(() => false);
}

/** How a port-forward tells that a pod's side closed before it had read all, which is how gops agents refuse HTTP. */
function wasReset(error: unknown): boolean {
  if (!(error instanceof NodeopsError) || error.code !== 'unreachable') return false;
  return /reset by peer|broken pipe/.test(String(error.detail?.text));
}

function either(signal: AbortSignal | undefined, deadline: AbortSignal): AbortSignal {
  return signal ? AbortSignal.any([signal, deadline]) : deadline;
}

/** Milliseconds that the agent takes on purpose before it answers. */
function waitOf(name: OperationName, parameters: Readonly<Record<string, unknown>>): number {
  const { parameters: declared, deadlineMs = 0 }: Operation = operations[name];
  return Object.entries(declared)
    .filter(([, { type }]) => type === 'duration')
    .reduce((sum, [key, parameter]) => sum + Number(parameters[key] ?? parameter.default ?? 0), deadlineMs);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
