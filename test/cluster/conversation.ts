/** A WebSocket to a cluster with everything that came over it, for tests. */
import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { Json } from './api/types.ts';
import type { Client } from './client.ts';

export interface Conversation {
  readonly frames: Buffer[];
  readonly protocol: string;
  /** Set when the server answered with HTTP instead of a handshake. */
  readonly rejected: { status: number; body: Json } | undefined;
  /** Set when the handshake was not acceptable to the client. */
  readonly error: string | undefined;
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly socket: WebSocket;
  send(frame: Buffer): void;
  close(): void;
  /** Drops the connection without a close frame. */
  end(): void;
  /** Resolves when that many bytes have come. */
  received(bytes: number): Promise<void>;
  /** Resolves when that many frames have come. */
  frameCount(count: number): Promise<void>;
  /** The time in ms of the last frame that came before the close. */
  lastFrame(): Promise<number>;
}

export async function converse(client: Client, path: string, protocols: string[]): Promise<Conversation> {
  const { server, ca, cert, key } = client.credentials;
  const socket = new WebSocket(server.replace('https', 'wss') + path, protocols, {
    ca,
    ...(cert && key ? { cert, key } : {}),
    headers: client.headers(),
    perMessageDeflate: false,
  });
  const frames: Buffer[] = [];
  let last = 0;
  let size = 0;
  socket.on('message', (data: Buffer) => {
    last = Date.now();
    size += data.length;
    frames.push(Buffer.from(data));
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    socket.on('close', (code, reason) => resolve({ code, reason: String(reason) })),
  );
  let rejected: Conversation['rejected'];
  let error: string | undefined;
  await new Promise<void>((resolve) => {
    socket.on('open', resolve);
    socket.on('error', (problem) => {
      error ??= problem.message;
      resolve();
    });
    socket.on('unexpected-response', (request, response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () => {
        const json = response.headers['content-type']?.includes('json');
        rejected = { status: response.statusCode ?? 0, body: json ? JSON.parse(text) : text };
        request.destroy();
        resolve();
      });
    });
  });
  /** Until enough has come; a connection that ends before is an error and not a wait without end. */
  const until = async (enough: () => boolean): Promise<void> => {
    while (!enough()) {
      if (socket.readyState === socket.CLOSED) throw new Error(`the connection ended after ${frames.length} frames`);
      await Promise.race([once(socket, 'message'), closed]);
    }
  };
  return {
    frames,
    protocol: socket.protocol,
    rejected,
    error,
    closed,
    socket,
    send: (frame) => socket.send(frame),
    close: () => socket.close(),
    end: () => socket.terminate(),
    received: (bytes) => until(() => size >= bytes),
    frameCount: (count) => until(() => frames.length >= count),
    lastFrame: async () => {
      await closed;
      return last;
    },
  };
}
