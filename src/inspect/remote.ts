import { get } from 'node:http';
import type { WebSocket } from 'ws';
import { NodeopsError } from '../protocol/errors.ts';
import { limits } from '../protocol/limits.ts';
import { AttachedWorkers } from './attached.ts';
import type { Inspector } from './inspector.ts';
import { refusedCommand, stuckAfter } from './posts.ts';

/** One message of the inspector: a CPU profile comes as one, a heap snapshot in pieces of about 100 KiB. */
const messageBytes = 256 * 1024 * 1024;
/** Body of `/json/list` and `/json/version`. */
const discoveryBytes = 64 * 1024;
/** How long a close handshake may take before the connection is cut. */
const closeMs = 500;

export interface RemoteAddress {
  readonly host: string;
  readonly port: number;
  /** Wait for the list of targets and for the connection, each. Default: limits.readDeadlineMs. */
  readonly timeoutMs?: number;
}

/**
 * The DevTools protocol over a WebSocket to an open inspector port.
 * Throws `unreachable` when nothing answers there, `failed` when it is no Node.js inspector.
 */
export async function openRemote({ host, port, timeoutMs = limits.readDeadlineMs }: RemoteAddress): Promise<Inspector> {
  const targets = await readDiscovery({ host, port, timeoutMs }, '/json/list');
  const id = Array.isArray(targets) ? (targets[0] as { id?: unknown } | undefined)?.id : undefined;
  if (typeof id !== 'string' || !/^[\w-]{1,128}$/.test(id))
    throw new NodeopsError('failed', `${host}:${port} lists no Node.js inspector target`);
  const { WebSocket } = await import('ws');
  const socket = new WebSocket(`ws://${bracketed(host)}:${port}/${id}`, {
    maxPayload: messageBytes,
    perMessageDeflate: false,
    handshakeTimeout: timeoutMs,
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', (cause) =>
      reject(new NodeopsError('unreachable', `no inspector at ${host}:${port}: ${cause.message}`, { cause })),
    );
  });
  return overSocket(socket);
}

interface Waiting {
  readonly method: string;
  readonly resolve: (result: never) => void;
  readonly reject: (error: NodeopsError) => void;
  readonly timer: NodeJS.Timeout;
}

function overSocket(socket: WebSocket): Inspector {
  const waiting = new Map<number, Waiting>();
  const listeners = new Map<string, Set<(params: never) => void>>();
  let lastId = 0;

  const settle = (id: number): Waiting | undefined => {
    const post = waiting.get(id);
    if (post) clearTimeout(post.timer);
    waiting.delete(id);
    return post;
  };
  const endAll = (): void => {
    for (const id of [...waiting.keys()]) {
      const post = settle(id);
      post?.reject(new NodeopsError('no-such-process', `the inspector went away before ${post.method} was answered`));
    }
  };
  const close = async (): Promise<void> => {
    endAll();
    if (socket.readyState === socket.CLOSED) return;
    if (socket.readyState === socket.OPEN)
      attached.letGo((method, params) => void post(method, params).catch(() => {}));
    await new Promise<void>((resolve) => {
      const cut = setTimeout(() => socket.terminate(), closeMs);
      socket.once('close', () => {
        clearTimeout(cut);
        resolve();
      });
      socket.close();
    });
  };

  socket.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString('utf8')) as {
      id?: number;
      error?: { message: string };
      result?: unknown;
      method?: string;
      params?: unknown;
    };
    if (message.id !== undefined) {
      const post = settle(message.id);
      if (message.error) post?.reject(refusedCommand(post.method, message.error));
      else post?.resolve(message.result as never);
    } else if (message.method === 'NodeRuntime.waitingForDisconnect') {
      // the app wants to exit and would wait for us as long as we stay
      void close();
    } else if (message.method !== undefined) {
      for (const listener of listeners.get(message.method) ?? []) listener(message.params as never);
    }
  });
  socket.on('close', endAll);
  // without a listener a cut connection would be an uncaught exception; 'close' follows and does the work
  socket.on('error', () => {});

  const post = <R>(
    method: string,
    params: object = {},
    { timeoutMs = limits.readDeadlineMs }: { timeoutMs?: number } = {},
  ): Promise<R> => {
    if (socket.readyState !== socket.OPEN)
      return Promise.reject(new NodeopsError('no-such-process', `the inspector went away before ${method} was sent`));
    return new Promise<R>((resolve, reject) => {
      const id = ++lastId;
      const timer = setTimeout(() => settle(id)?.reject(stuckAfter(method, timeoutMs)), timeoutMs);
      waiting.set(id, { method, resolve, reject, timer });
      socket.send(JSON.stringify({ id, method, params }));
    });
  };
  const on: Inspector['on'] = (method, listener) => {
    const set = listeners.get(method) ?? new Set();
    listeners.set(method, set.add(listener));
    return () => void set.delete(listener);
  };
  const attached = new AttachedWorkers(on);
  post('NodeRuntime.notifyWhenWaitingForDisconnect', { enabled: true }).catch(() => {});
  return { post, on, close };
}

/** Reads `/json/list` or `/json/version` of an inspector port. Throws `unreachable`, or `failed` when it is not JSON. */
export function readDiscovery({ host, port, timeoutMs }: Required<RemoteAddress>, path: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error): void =>
      reject(new NodeopsError('unreachable', `no inspector at ${host}:${port}: ${cause.message}`, { cause }));
    const request = get({ host, port, path, agent: false, signal: AbortSignal.timeout(timeoutMs) }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (piece: string) => {
        body += piece;
        if (body.length > discoveryBytes) request.destroy(new Error(`more than ${discoveryBytes} bytes of reply`));
      });
      response.on('error', fail);
      response.on('end', () => {
        try {
          resolve(JSON.parse(body));
        } catch (cause) {
          reject(new NodeopsError('failed', `${host}:${port} is not a Node.js inspector`, { cause }));
        }
      });
    });
    request.on('error', fail);
  });
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
