/** The requests of src/protocol/captures.ts, for one process. */
import type { IncomingMessage } from 'node:http';
import { finished as finishedReading } from 'node:stream/promises';
import type { CaptureName, JobInfo } from '../../protocol/captures.ts';
import { NodeopsError } from '../../protocol/errors.ts';
import { formatParameters } from '../../protocol/parameters.ts';
import type { Envelope, VersionReply } from '../../protocol/replies.ts';
import { pathPrefix } from '../../protocol/wire.ts';
import { AgentClient } from '../client/client.ts';
import type { Target } from '../target.ts';
import type { CaptureLimits } from './limits.ts';

/** How long the end of an answer is waited for once its last line has come. */
const endOfAnswerMs = 200;
const states = ['running', 'finished', 'failed', 'abandoned'];

export class Jobs {
  readonly target: Target;
  readonly #limits: CaptureLimits;
  #client: AgentClient;

  constructor(target: Target, limits: CaptureLimits) {
    this.target = target;
    this.#limits = limits;
    this.#client = new AgentClient(target.endpoint);
  }

  /** Forgets connections that may be dead without knowing it. */
  reconnect(): void {
    this.#client.close();
    this.#client = new AgentClient(this.target.endpoint);
  }
  close(): void {
    this.#client.close();
  }

  /** Who answers: its container, pid and versions. */
  identity(signal: AbortSignal, timeoutMs: number): Promise<Envelope<VersionReply>> {
    return this.#client.ask('version', {}, { process: this.target.process, signal, timeoutMs });
  }

  start(
    capture: CaptureName,
    parameters: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
    timeoutMs: number,
  ): Promise<JobInfo> {
    return this.#info('POST', capture, parameters, signal, timeoutMs);
  }
  info(id: string, signal: AbortSignal): Promise<JobInfo> {
    return this.#info('GET', `jobs/${id}`, {}, signal);
  }
  stop(id: string, signal: AbortSignal): Promise<JobInfo> {
    return this.#info('POST', `jobs/${id}/stop`, {}, signal);
  }
  async remove(id: string, signal: AbortSignal): Promise<void> {
    (await this.#request('DELETE', `jobs/${id}`, {}, signal)).resume();
  }

  /** Its states as they are told, until the connection ends. Throws `stalled` after silence. */
  async *progress(id: string, signal: AbortSignal): AsyncGenerator<JobInfo> {
    const response = await this.#request('GET', `jobs/${id}/progress`, {}, signal);
    const { stallMs, progressLineBytes } = this.#limits;
    let rest = '';
    response.setEncoding('utf8');
    const stall = setTimeout(() => response.destroy(this.#stalled()), stallMs);
    try {
      for await (const text of response.iterator({ destroyOnReturn: false }) as AsyncIterable<string>) {
        stall.refresh();
        const lines = (rest + text).split('\n');
        rest = lines.pop()!;
        if (rest.length > progressLineBytes) throw this.#nonsense();
        for (const line of lines) if (line.trim() !== '') yield this.#parse(line);
      }
    } finally {
      clearTimeout(stall);
      await finished(response);
    }
  }

  /** The artifact from a byte on, compressed or not as its headers say. */
  artifact(id: string, from: number, signal: AbortSignal, timeoutMs: number): Promise<IncomingMessage> {
    const headers = {
      Accept: '*/*',
      'Accept-Encoding': 'zstd, gzip;q=0.5',
      ...(from > 0 ? { Range: `bytes=${from}-` } : {}),
    };
    return this.#request('GET', `jobs/${id}/artifact`, {}, signal, timeoutMs, headers);
  }

  async #info(
    method: 'GET' | 'POST',
    path: string,
    parameters: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
    timeoutMs?: number,
  ): Promise<JobInfo> {
    const response = await this.#request(method, path, parameters, signal, timeoutMs);
    let text = '';
    response.setEncoding('utf8');
    const deadline = setTimeout(() => response.destroy(this.#stalled()), this.#limits.requestMs);
    try {
      for await (const piece of response as AsyncIterable<string>) {
        text += piece;
        if (text.length > this.#limits.progressLineBytes) throw this.#nonsense();
      }
    } finally {
      clearTimeout(deadline);
    }
    return this.#parse(text);
  }

  #request(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    parameters: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
    timeoutMs: number = this.#limits.requestMs,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<IncomingMessage> {
    const query = new URLSearchParams(formatParameters({ process: this.target.process, ...parameters })).toString();
    return this.#client.request({
      method,
      path: `${pathPrefix}${path}${query && `?${query}`}`,
      headers,
      signal,
      timeoutMs,
    });
  }

  #parse(text: string): JobInfo {
    let value: Partial<JobInfo> | undefined;
    try {
      // progress is bare, replies are in an envelope
      const parsed = JSON.parse(text) as Partial<JobInfo> & { data?: Partial<JobInfo> };
      value = parsed?.data ?? parsed;
    } catch {
      throw this.#nonsense();
    }
    const sound =
      typeof value === 'object' &&
      value !== null &&
      /^[\w-]{1,64}$/.test(String(value.id)) &&
      states.includes(String(value.state)) &&
      Number.isSafeInteger(value.bytes) &&
      typeof value.phase === 'string' &&
      Array.isArray(value.notes);
    if (!sound) throw this.#nonsense();
    const { phase, path, notes } = value as JobInfo;
    return { ...(value as JobInfo), phase: plain(phase), path: path && plain(path), notes: notes.map(plain) };
  }

  #nonsense(): NodeopsError {
    return new NodeopsError(
      'failed',
      `the agent of ${this.target.endpoint.name} told the capture's state in no known form`,
    );
  }
  #stalled(): NodeopsError {
    return new NodeopsError(
      'stalled',
      `nothing came from ${this.target.endpoint.name} for ${this.#limits.stallMs / 1000} s`,
    );
  }
}

/** After the last state the agent ends its answer; then the connection serves the next request, else it is closed. */
async function finished(response: IncomingMessage): Promise<void> {
  const patience = setTimeout(() => response.destroy(), endOfAnswerMs);
  response.resume();
  await finishedReading(response).catch(() => response.destroy());
  clearTimeout(patience);
}

/** What agents say is printed on terminals: nothing in it may move the cursor. */
function plain(text: unknown): string {
  return String(text).replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
}
