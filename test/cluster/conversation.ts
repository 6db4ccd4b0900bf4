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
  socket.on('message', (data: Buffer) => {
    last = Date.now();
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
    received: async (bytes) => {
      while (frames.reduce((sum, frame) => sum + frame.length, 0) < bytes) await once(socket, 'message');
    },
    frameCount: async (count) => {
      while (frames.length < count) await once(socket, 'message');
    },
    lastFrame: async () => {
      await closed;
      return last;
    },
  };
}
