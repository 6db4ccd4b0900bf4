/** A small API server for these tests: answers what it is told to, and replays recorded WebSockets frame by frame. */
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { KubeApi } from '../../../../src/plugin/transport/kube/api.ts';
import { loadConnection } from '../../../../src/plugin/transport/kube/config.ts';
import type { KubeOptions } from '../../../../src/plugin/transport/kube/options.ts';

export interface Recording {
  readonly name: string;
  readonly path: string;
  readonly protocols: readonly string[];
  readonly acceptedProtocol?: string;
  readonly frames: readonly { from: 'server' | 'client'; ms: number; bytes?: number; hex?: string; close?: boolean }[];
  readonly rejected?: { status: number; body: unknown };
  readonly close?: { code: number };
  readonly timedOutOpen?: boolean;
}
interface RestRecording {
  readonly name: string;
  readonly response: { status: number; body: unknown };
}

const fixture = <T>(name: string): T => JSON.parse(readFileSync(`test/fixtures/kubernetes/${name}`, 'utf8')) as T;
export const recording = (name: string): Recording =>
  fixture<Recording[]>('websocket.json').find((each) => each.name === name)!;
export const restRecording = (name: string): RestRecording['response'] =>
  fixture<RestRecording[]>('rest.json').find((each) => each.name === name)!.response;

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}
/** undefined: the connection is destroyed without an answer. */
export type Rest = (
  request: Seen,
) => { status: number; body: unknown; retryAfter?: string | undefined; location?: string } | undefined;

export interface TestServer {
  readonly url: string;
  readonly seen: Seen[];
  /** Connections that were accepted. */
  readonly connections: () => number;
  api(options?: KubeOptions): Promise<KubeApi>;
  close(): Promise<void>;
}

export interface Behaviour {
  readonly rest?: Rest;
  /** Speaks on an accepted WebSocket. */
  readonly socket?: (socket: WebSocket, request: IncomingMessage) => void;
  /** Answers the handshake instead of accepting it. */
  readonly reject?: { status: number; body: unknown; location?: string };
  readonly protocol?: string;
  readonly tls?: ServerOptions;
}

export async function startServer({ rest, socket, reject, protocol, tls }: Behaviour): Promise<TestServer> {
  const seen: Seen[] = [];
  let connections = 0;
  const server: Server = tls ? createTlsServer(tls) : createServer();
  const open = new Set<Duplex>();
  server.on('connection', (each) => {
    connections++;
    open.add(each);
    each.on('close', () => open.delete(each));
  });
  server.on('request', async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const asked = { method: request.method!, url: request.url!, headers: request.headers, body };
    seen.push(asked);
    const answer = rest ? rest(asked) : { status: 404, body: 'no such path' };
    if (!answer) return request.socket.destroy();
    const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
    if (answer.retryAfter !== undefined) response.setHeader('Retry-After', answer.retryAfter);
    if (answer.location !== undefined) response.setHeader('Location', answer.location);
    response.writeHead(answer.status, { 'Content-Type': 'application/json' }).end(text);
  });
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: true,
    handleProtocols: (offered) => protocol ?? [...offered][0]!,
  });
  server.on('upgrade', (request, stream, head) => {
    stream.on('error', () => {});
    seen.push({ method: 'UPGRADE', url: request.url!, headers: request.headers, body: '' });
    if (reject) {
      const text = typeof reject.body === 'string' ? reject.body : JSON.stringify(reject.body);
      const location = reject.location === undefined ? '' : `Location: ${reject.location}\r\n`;
      stream.end(
        `HTTP/1.1 ${reject.status} No\r\n${location}Content-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`,
      );
      return;
    }
    sockets.handleUpgrade(request, stream, head, (each) => socket?.(each, request));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const url = `${tls ? 'https' : 'http'}://127.0.0.1:${port}`;
  const apis: KubeApi[] = [];
  return {
    url,
    seen,
    connections: () => connections,
    async api(options = {}) {
      const env = { KUBECONFIG: '/nonexistent/kubeconfig', PATH: process.env.PATH };
      const api = new KubeApi(await loadConnection({ server: url, ...options }, env));
      apis.push(api);
      return api;
    },
    async close() {
      for (const api of apis) await api.close();
      for (const each of open) each.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}

/** Plays the server's side of a recording: its frames in order, each client frame awaited in its place. */
export function replay({ frames, close, timedOutOpen }: Recording): (socket: WebSocket) => Promise<void> {
  return async (socket) => {
    const received: Buffer[] = [];
    let wake = () => {};
    socket.on('message', (data: Buffer) => {
      received.push(data);
      wake();
    });
    for (const frame of frames) {
      if (frame.from === 'server') socket.send(bytesOf(frame));
      else if (!frame.close)
        while (received.shift() === undefined)
          await new Promise<void>((done) => {
            wake = done;
          });
    }
    if (close && !timedOutOpen) socket.close(close.code);
  };
}

/** Recordings keep 256 bytes of a frame and count the rest, which is filled with dots. */
export function bytesOf({ hex = '', bytes }: { hex?: string; bytes?: number }): Buffer {
  const kept = Buffer.from(hex.replace(/…\(\+\d+\)$/, ''), 'hex');
  return bytes === undefined ? kept : Buffer.concat([kept, Buffer.alloc(Math.max(0, bytes - kept.length), '.')]);
}

/** A pod as `GET` shows it. */
export function podObject(status: object, metadata: object = {}): object {
  return {
    kind: 'Pod',
    metadata: { name: 'api-0', namespace: 'default', creationTimestamp: '2020-01-01T00:00:00Z', ...metadata },
    spec: { containers: [{ name: 'app' }, { name: 'side' }] },
    status,
  };
}
