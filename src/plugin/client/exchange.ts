/** One HTTP request and its reply over an Endpoint's connection. */
import http, { type IncomingMessage } from 'node:http';
import { NodeopsError } from '../../protocol/errors.ts';
import { limits, protocolVersion } from '../../protocol/limits.ts';
import { requestHeader } from '../../protocol/wire.ts';
import type { Transport } from '../target.ts';
import type { ConnectionRequest, EndpointConnections } from './connections.ts';

export interface AgentRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** With its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
}

/** The connection ended before the reply did: a read can be asked again. */
export class Cut extends Error {
  /** Whether a reply had begun. */
  readonly answered: boolean;

  constructor(answered: boolean, cause: unknown) {
    super('connection cut', { cause });
    this.answered = answered;
  }
}

/** What came is not HTTP. */
export class Garbage extends Error {
  readonly first: Buffer | undefined;

  constructor(first: Buffer | undefined, cause: unknown) {
    super('not HTTP', { cause });
    this.first = first;
  }
}

/**
 * Resolves at the reply's head. An abort destroys the connection, also in the middle of the body.
 * Throws `Cut`, `Garbage`, or the NodeopsError that the connection could not be made for or was destroyed with.
 */
export function exchange(
  connections: EndpointConnections,
  { method, path, headers, body }: AgentRequest,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const options: ConnectionRequest = {
      host: '127.0.0.1',
      method,
      path,
      agent: connections,
      connectSignal: signal,
      headers: {
        Host: '127.0.0.1',
        [requestHeader]: String(protocolVersion),
        Accept: 'application/json',
        ...(connections.endpoint.token !== undefined && { Authorization: `Bearer ${connections.endpoint.token}` }),
        ...(body !== undefined && {
          'Content-Type': 'application/json',
          'Content-Length': String(Buffer.byteLength(body)),
        }),
        ...headers,
      },
    };
    const request = http.request(options);
    // while there is no connection yet, the abort ends connecting, whose error says more
    const abort = () => {
      if (request.socket) request.destroy(signal.reason);
    };
    signal.addEventListener('abort', abort, { once: true });
    request.on('socket', (transport: Transport) => {
      if (signal.aborted) abort();
      transport.expectData?.(true);
    });
    request.on('response', (response) => {
      const transport = request.socket as Transport;
      response.once('close', () => {
        transport.expectData?.(false);
        signal.removeEventListener('abort', abort);
      });
      resolve(response);
    });
    request.on('error', (error: NodeJS.ErrnoException & { rawPacket?: Buffer }) => {
      signal.removeEventListener('abort', abort);
      reject(/^HPE_/.test(String(error.code)) ? new Garbage(error.rawPacket, error) : cutUnlessOurs(error, false));
    });
    request.end(body);
  });
}

/** The whole body as text. Throws `Cut`, `too-large`, or what the connection was destroyed with. */
export async function readReply(response: IncomingMessage): Promise<string> {
  const { socket } = response;
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response) {
      size += chunk.length;
      if (size > limits.replyBytes)
        throw new NodeopsError('too-large', `the reply is larger than ${limits.replyBytes} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof NodeopsError ? error : cutUnlessOurs(socket.errored ?? (error as Error), true);
  }
  return Buffer.concat(chunks).toString();
}

/** What the connection was destroyed with is worth more than Node's "socket hang up". */
function cutUnlessOurs(error: Error, answered: boolean): Error {
  return error instanceof NodeopsError ? error : new Cut(answered, error);
}
