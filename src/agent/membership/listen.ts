/**
 * Listening at once, without a turn of the event loop: a process that blocks from its first line on is found, too, and on the app's main thread
 * nothing is scheduled. Until somebody connects there is one handle, which keeps no process alive and runs nothing.
 */
import type { Socket } from 'node:net';
import { constants } from 'node:os';
import { builtin } from '../builtin.ts';

export interface Listening {
  readonly port: number;
  close(): void;
}
/** Why it does not listen: a negative number of the system's, such as -EADDRINUSE. */
export type Refusal = number;

/** What Node's own net and cluster use; a handle, or the number of an error. */
interface ServerHandle {
  listen(backlog: number): number;
  onconnection: (status: number, client?: object) => void;
  unref(): void;
  close(): void;
}
type Net = typeof import('node:net') & {
  _createServerHandle?(address: string, port: number, type: 4 | 6 | -1, fd: -1, flags?: number): ServerHandle | number;
};

const backlog = 511;
/** libuv's UV_TCP_REUSEPORT: Nodes that do not know it pass it over. */
const reusePortFlag = 2;

/** `host` is an IP address. What `take` throws is dropped. */
export function listenOn(
  { host, port, reusePort = false }: { host: string; port: number; reusePort?: boolean },
  take: (socket: Socket) => void,
): Listening | Refusal {
  return start(host, port, host.includes(':') ? 6 : 4, take, reusePort ? reusePortFlag : 0);
}

/** On a path of the file system, or in the abstract namespace where it begins with a zero byte. */
export function listenAt(path: string, take: (socket: Socket) => void): Listening | Refusal {
  return start(path, -1, -1, take, 0);
}

export function isTaken(refusal: Refusal): boolean {
  return refusal === -constants.errno.EADDRINUSE;
}

function start(
  address: string,
  port: number,
  type: 4 | 6 | -1,
  take: (socket: Socket) => void,
  flags: number,
): Listening | Refusal {
  const net = builtin<Net>('node:net');
  const handle = net._createServerHandle?.(address, port, type, -1, flags) ?? -constants.errno.EPROTONOSUPPORT;
  if (typeof handle === 'number') return handle;
  handle.onconnection = (status, client) => {
    if (status !== 0 || !client) return;
    try {
      const socket = new net.Socket({
        handle: client,
        allowHalfOpen: true,
      } as import('node:net').SocketConstructorOpts);
      // nobody listens for errors of a socket that was closed at once: they must not become uncaught
      socket.on('error', () => socket.destroy());
      take(socket);
    } catch {
      // the agent is worse off, the app is not
    }
  };
  const refusal = handle.listen(backlog);
  if (refusal !== 0) {
    handle.close();
    return refusal;
  }
  handle.unref();
  return { port, close: () => handle.close() };
}
