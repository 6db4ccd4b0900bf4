/** Passes a request on to another agent of the pod, streaming both ways. */

import { type IncomingMessage, request as open, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { pipeline } from 'node:stream';
import { NodeopsError } from '../../protocol/errors.ts';

const hopHeader = 'x-nodeops-hop';
/** What the way and the other agent's waking may take on top. */
const wayMs = 2_500;

/** How many agents passed a request on before. */
export function hops(request: IncomingMessage): number {
  const hop = Number(request.headers[hopHeader] ?? 0);
  return Number.isInteger(hop) && hop >= 0 ? hop : Number.POSITIVE_INFINITY;
}

/** Over a connection that has proved itself. Resolves when the reply is through; its head is due after `deadline` milliseconds. Throws `no-such-process` when nobody listens there any more, `timeout` when nobody answers. */
export function forward(
  socket: Socket,
  target: string | undefined,
  request: IncomingMessage,
  body: Buffer,
  response: ServerResponse,
  deadline: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    // who asks was checked here, and the token is nobody else's
    const { connection: _, 'transfer-encoding': __, authorization: ___, ...headers } = request.headers;
    const further = open({
      createConnection: () => socket,
      method: request.method,
      path: target,
      headers: { ...headers, [hopHeader]: hops(request) + 1, 'content-length': body.length, connection: 'close' },
    });
    const waited = deadline + wayMs;
    const timer = setTimeout(
      () =>
        further.destroy(new NodeopsError('timeout', `the process's agent has not answered within ${waited / 1000} s`)),
      waited,
    );
    further.on('socket', () => socket.resume());
    further.on('response', (reply) => {
      clearTimeout(timer);
      const { connection: _, 'keep-alive': __, 'transfer-encoding': ___, ...passed } = reply.headers;
      response.writeHead(reply.statusCode ?? 502, passed);
      pipeline(reply, response, () => resolve());
    });
    further.on('error', (error) => {
      clearTimeout(timer);
      if (error instanceof NodeopsError) reject(error);
      else
        reject(
          new NodeopsError('no-such-process', 'the process has just ended or is starting its agent; ask again', {
            cause: error,
          }),
        );
    });
    response.on('close', () => further.destroy());
    further.end(body);
  });
}
