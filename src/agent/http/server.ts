/** The HTTP server of an agent, fed with sockets whose first bytes were looked at. Loaded with the first request. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { asNodeopsError, NodeopsError } from '../../protocol/errors.ts';
import { gopsCommand } from '../../protocol/gops.ts';
import { limits, protocolVersion } from '../../protocol/limits.ts';
import { encodeError, replyHeader } from '../../protocol/wire.ts';
import type { Front, Pod } from '../pod.ts';
import { answer } from './routes.ts';

interface HttpServer {
  /** `proven`: another agent has proved itself on it. */
  take(socket: Socket, front: Front, firstByte: number, proven?: boolean): void;
}
const servers = new WeakMap<Pod, HttpServer>();

export function serverOf(pod: Pod): HttpServer {
  const server = servers.get(pod) ?? create(pod);
  servers.set(pod, server);
  return server;
}

function create(pod: Pod): HttpServer {
  const fronts = new WeakMap<Socket, { front: Front; proven: boolean }>();
  const deadlines = new WeakMap<Socket, NodeJS.Timeout>();
  let running = 0;

  // Node's own deadlines are only kept by servers that listen: this one is handed its sockets
  const expectRequest = (socket: Socket, milliseconds: number) => {
    clearTimeout(deadlines.get(socket));
    const timer = setTimeout(() => socket.destroy(), milliseconds);
    timer.unref();
    deadlines.set(socket, timer);
  };

  const http = createServer(
    {
      maxHeaderSize: limits.requestHeadBytes,
      keepAliveTimeout: 0,
      headersTimeout: 0,
      requestTimeout: 0,
      noDelay: true,
      // it is checked with the others, and its absence said as they are
      requireHostHeader: false,
    },
    async (request, response) => {
      const { socket } = request;
      response.setHeader(replyHeader, protocolVersion);
      response.on('close', () => expectRequest(socket, limits.idleConnectionMs));
      response.on('error', () => {});
      running++;
      try {
        if (running > limits.connections)
          throw new NodeopsError('busy', `${limits.connections} requests are being answered already`);
        const body = await readBody(request);
        clearTimeout(deadlines.get(socket));
        await answer(pod, fronts.get(socket) ?? { front: pod.self, proven: false }, request, body, response);
      } catch (error) {
        sendError(request, response, asNodeopsError(error));
      } finally {
        running--;
      }
    },
  );
  http.maxHeadersCount = 100;
  http.maxRequestsPerSocket = 10_000;
  http.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy();
    const [status, refusal] =
      error.code === 'HPE_HEADER_OVERFLOW'
        ? [
            '431 Request Header Fields Too Large',
            new NodeopsError('too-large', `the request's head is longer than ${limits.requestHeadBytes} bytes`),
          ]
        : ['400 Bad Request', new NodeopsError('bad-request', 'this is not an HTTP request')];
    const body = JSON.stringify(encodeError(refusal as NodeopsError));
    socket.end(
      `HTTP/1.1 ${status}\r\nConnection: close\r\n${replyHeader}: ${protocolVersion}\r\n` +
        `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      () => socket.destroy(),
    );
  });
  // without a listener of upgrades, as HTTP wants it, one that is not known (HTTP/2, which some clients offer each time) is passed over
  http.on('connect', (_request, socket) => socket.destroy());

  return {
    take(socket, front, firstByte, proven = false) {
      if (gopsCommand(firstByte) && !proven) return void answerGops(pod, front, socket);
      expectRequest(socket, limits.requestTimeoutMs);
      socket.on('close', () => clearTimeout(deadlines.get(socket)));
      fronts.set(socket, { front, proven });
      http.emit('connection', socket);
      socket.resume();
    },
  };
}

async function answerGops(pod: Pod, front: Front, socket: Socket): Promise<void> {
  try {
    const { answerSignal } = await import('../gops/signals.ts');
    await answerSignal(pod, front, socket);
  } catch {
    socket.destroy();
  }
}

function readBody(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= limits.requestBodyBytes) return void chunks.push(chunk);
      request.pause();
      reject(new NodeopsError('too-large', `the request's body is longer than ${limits.requestBodyBytes} bytes`));
    });
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('error', reject);
    request.on('close', () => reject(new NodeopsError('bad-request', 'the request was cut off')));
  });
}

function sendError(request: IncomingMessage, response: ServerResponse, error: NodeopsError): void {
  if (response.headersSent) return void response.destroy();
  const body = JSON.stringify(encodeError(error));
  // what is left of a body that is too long is not read
  if (!request.complete) response.setHeader('connection', 'close');
  if (error.code === 'unauthorized') response.setHeader('www-authenticate', 'Bearer');
  response.writeHead(error.httpStatus, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body, () => request.complete || request.socket.destroy());
}
