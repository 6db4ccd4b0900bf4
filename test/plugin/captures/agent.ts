/**
 * A test double of the agent's side of src/protocol/captures.ts: a real HTTP server that hands out given bytes (real profiles,
 * taken by the tests) and fails in the ways networks and agents do.
 */
import { createHash, randomBytes } from 'node:crypto';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { Target } from '../../../src/plugin/target.ts';
import { addressTarget } from '../../../src/plugin/targets/address.ts';
import { type CaptureName, captures, isCaptureName, type JobInfo } from '../../../src/protocol/captures.ts';
import { parseParameters } from '../../../src/protocol/parameters.ts';
import { replyOf } from '../../bed/replies.ts';

export interface AgentOptions {
  /** What a capture yields. */
  readonly bytes: Uint8Array;
  /** How long a capture runs by itself. @default 50 */
  readonly runMs?: number;
  /** Whether bytes can be asked for again. @default true */
  readonly resumable?: boolean;
  /** @default null */
  readonly path?: string | null;
  /** Encoding used when the client takes it. @default 'zstd' */
  readonly encoding?: 'zstd' | 'gzip' | 'identity';
  /** The n-th artifact answer is cut after so many bytes on the wire; undefined is not cut. */
  readonly cutAfter?: readonly (number | undefined)[];
  /** The n-th artifact answer stands still after so many bytes on the wire. */
  readonly stallAfter?: readonly (number | undefined)[];
  /** The n-th progress answer is cut after its first line. */
  readonly cutProgress?: number;
  readonly sha256?: string;
  readonly pid?: number;
  readonly container?: string | null;
  readonly notes?: string[];
  /** Answers a start with this error. */
  readonly refuse?: { status: number; code: string; message: string; hint?: string };
  /** Delays the answer to a start. */
  readonly startDelayMs?: number;
}

interface Job {
  info: JobInfo;
  startedMs: number;
  stopped: boolean;
}

/** A 22-character id, as agents make them. */
const newId = () => randomBytes(16).toString('base64url');

export class TestAgent {
  options: AgentOptions;
  readonly requests: string[] = [];
  /** Jobs that were not removed. */
  readonly jobs = new Map<string, Job>();
  #server: http.Server | undefined;
  connections = 0;
  readonly #sockets = new Set<Socket>();
  #artifacts = 0;
  #progresses = 0;
  port = 0;

  constructor(options: AgentOptions) {
    this.options = options;
  }

  async listen(): Promise<this> {
    this.#server = http.createServer((request, response) => {
      this.#answer(request, response).catch((error) => response.destroy(error));
    });
    this.#server.on('connection', (socket) => {
      this.connections++;
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    await new Promise<void>((done) => this.#server!.listen(this.port, '127.0.0.1', done));
    this.port = (this.#server.address() as AddressInfo).port;
    return this;
  }

  /** Nobody listens any more; what is connected is cut. */
  async down(): Promise<void> {
    const closed = new Promise((done) => this.#server?.close(done));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  get target(): Target {
    return { ...addressTarget('127.0.0.1', this.port), process: undefined };
  }

  running(): JobInfo[] {
    return [...this.jobs.values()].map((job) => this.#now(job)).filter(({ state }) => state === 'running');
  }

  /** Whether a client knows of a capture by its name: it watches it. */
  watched(): boolean {
    return this.requests.some((line) => line.includes('/progress'));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url!, 'http://agent');
    this.requests.push(`${request.method} ${url.pathname}${url.search} ${request.headers.range ?? ''}`.trim());
    response.setHeader('x-nodeops-protocol', '1');
    const json = (status: number, value: unknown) => {
      response.writeHead(status, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify(value));
    };
    const fail = (status: number, code: string, message: string, hint?: string) =>
      json(status, { schema: 'nodeops/v1', error: { code, message, hint } });
    if (request.headers['x-nodeops'] === undefined) return fail(400, 'bad-request', 'the header x-nodeops is missing');
    const [, , first, id, what] = url.pathname.split('/');
    url.searchParams.delete('process');
    if (first === 'version') return json(200, this.#version());
    if (request.method === 'POST' && isCaptureName(first!)) return this.#start(first, url.searchParams, json, fail);
    const job = first === 'jobs' ? this.jobs.get(id!) : undefined;
    if (!job) return fail(404, 'no-such-job', `there is no job ${id}`);
    if (request.method === 'DELETE') {
      this.jobs.delete(id!);
      return json(200, { ...this.#now(job), state: 'abandoned' });
    }
    if (what === 'stop') {
      job.stopped = this.#now(job).state === 'running';
      return json(200, this.#now(job));
    }
    if (what === 'progress') return this.#progress(job, response);
    if (what === 'artifact') return this.#artifact(job, request, response, fail);
    return json(200, this.#now(job));
  }

  #version(): object {
    const { pid = 4711, container = 'web' } = this.options;
    return {
      schema: 'nodeops/v1',
      operation: 'version',
      at: new Date().toISOString(),
      process: { container, pid },
      data: replyOf('version', { nodeVersion: process.version, protocol: 1 }),
      stuck: null,
      notes: [],
    };
  }

  async #start(
    capture: CaptureName,
    query: URLSearchParams,
    json: (status: number, value: unknown) => void,
    fail: (status: number, code: string, message: string, hint?: string) => void,
  ): Promise<void> {
    const { refuse, startDelayMs, resumable = true, path = null, notes = [] } = this.options;
    if (refuse) return fail(refuse.status, refuse.code, refuse.message, refuse.hint);
    const info: JobInfo = {
      id: newId(),
      capture,
      parameters: parseParameters(captures[capture].parameters, query),
      state: 'running',
      startedAt: new Date().toISOString(),
      elapsedMs: 0,
      remainingMs: null,
      phase: 'sampling',
      progress: null,
      stoppedEarly: false,
      bytes: 0,
      sha256: null,
      resumable,
      path,
      error: null,
      notes,
    };
    const job = { info, startedMs: Date.now(), stopped: false };
    this.jobs.set(info.id, job);
    if (startDelayMs) await sleep(startDelayMs);
    json(201, this.#now(job));
  }

  #now(job: Job): JobInfo {
    const { bytes, runMs = 50, sha256, resumable = true } = this.options;
    const elapsedMs = Date.now() - job.startedMs;
    const over = job.stopped || elapsedMs >= runMs;
    if (!over) {
      // without a disk the bytes are there as they are made
      const soFar = resumable ? 0 : Math.min(bytes.length, 1);
      return { ...job.info, elapsedMs, remainingMs: runMs - elapsedMs, bytes: soFar };
    }
    return {
      ...job.info,
      state: 'finished',
      elapsedMs: Math.min(elapsedMs, runMs),
      remainingMs: 0,
      stoppedEarly: job.stopped,
      bytes: bytes.length,
      sha256: sha256 ?? createHash('sha256').update(bytes).digest('hex'),
    };
  }

  async #progress(job: Job, response: ServerResponse): Promise<void> {
    response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
    const cut = this.#progresses++ < (this.options.cutProgress ?? 0);
    for (;;) {
      const info = this.#now(job);
      response.write(`${JSON.stringify(info)}\n`);
      if (cut) {
        await sleep(5);
        return void response.destroy();
      }
      if (info.state !== 'running' || !this.jobs.has(info.id)) break;
      await sleep(10);
      if (response.destroyed) return;
    }
    response.end();
  }

  async #artifact(
    job: Job,
    request: IncomingMessage,
    response: ServerResponse,
    fail: (status: number, code: string, message: string) => void,
  ): Promise<void> {
    const turn = this.#artifacts++;
    const { bytes, resumable = true, encoding = 'zstd', cutAfter, stallAfter } = this.options;
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    if (from > 0 && !resumable) return fail(409, 'unsupported', 'the bytes flow once and are gone');
    if (resumable && this.#now(job).state === 'running') return fail(409, 'busy', 'it still runs');
    while (this.#now(job).state === 'running') await sleep(10);
    const taken = String(request.headers['accept-encoding']).includes(encoding) ? encoding : 'identity';
    const part = bytes.subarray(from);
    const body = taken === 'zstd' ? zstdCompressSync(part) : taken === 'gzip' ? gzipSync(part) : part;
    response.writeHead(from > 0 ? 206 : 200, {
      'Content-Type': 'application/json',
      ...(taken === 'identity' ? {} : { 'Content-Encoding': taken }),
      ...(from > 0 ? { 'Content-Range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` } : {}),
    });
    const cut = cutAfter?.[turn];
    const stall = stallAfter?.[turn];
    if (cut === undefined && stall === undefined) return void response.end(body);
    response.write(body.subarray(0, cut ?? stall));
    await sleep(30);
    if (cut !== undefined) response.destroy();
  }
}
