/** `HOST:PORT`: TCP. */
import { connect, isIPv6, type Socket } from 'node:net';
import { NodeopsError } from '../../protocol/errors.ts';
import type { Endpoint, Target } from '../target.ts';

/** A connect that is not answered within this is given up. */
export const connectTimeoutMs = 5_000;

/** What to do about a process of this machine that has no agent. */
export const localAgentHint =
  "start the process with NODE_OPTIONS='--require nodeops/preload', or call listen() of the nodeops package in it";

export function addressTarget(host: string, port: number): Target {
  return { endpoint: tcpEndpoint(`${isIPv6(host) ? `[${host}]` : host}:${port}`, host, port), process: undefined };
}

/** `name` is what messages call it. */
export function tcpEndpoint(name: string, host: string, port: number, noAgentHint: string = localAgentHint): Endpoint {
  const at = name.endsWith(`:${port}`) ? name : `port ${port} of ${name}`;
  return {
    name,
    noAgentHint,
    connect: (signal) =>
      new Promise<Socket>((resolve, reject) => {
        if (signal.aborted) throw signal.reason;
        const socket = connect({ host, port, noDelay: true });
        const settle = (error?: Error) => {
          clearTimeout(timer);
          signal.removeEventListener('abort', abort);
          if (!error) return resolve(socket);
          socket.destroy();
          reject(error);
        };
        const abort = () => settle(signal.reason?.name === 'TimeoutError' ? noAnswer(at) : signal.reason);
        const timer = setTimeout(() => settle(noAnswer(at)), connectTimeoutMs);
        signal.addEventListener('abort', abort, { once: true });
        socket.once('connect', () => settle());
        // stays: an error after the connect is the stream's own, and reaches whoever reads it
        socket.once('error', (error) => settle(connectError(at, error, noAgentHint)));
      }),
  };
}

function noAnswer(at: string): NodeopsError {
  return new NodeopsError('unreachable', `cannot connect to ${at}: no answer`, {
    hint: 'check the address, and firewalls on the way',
  });
}

function connectError(at: string, error: NodeJS.ErrnoException, noAgentHint: string): NodeopsError {
  const code =
    error.code ?? (error instanceof AggregateError ? (error.errors[0] as NodeJS.ErrnoException)?.code : undefined);
  if (code === 'ECONNREFUSED')
    return new NodeopsError('no-agent', `nothing listens on ${at}`, { cause: error, hint: noAgentHint });
  const why = code === 'ENOTFOUND' || code === 'EAI_AGAIN' ? 'no such host' : error.message;
  return new NodeopsError('unreachable', `cannot connect to ${at}: ${why}`, {
    cause: error,
    hint: 'check the address',
  });
}
