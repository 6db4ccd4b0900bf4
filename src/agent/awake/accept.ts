/** Takes connections, and tells by their first bytes whether they are a lease or a request. Bounds both. */
import { createServer, type Server, type Socket } from 'node:net';
import { limits } from '../../protocol/limits.ts';
import { requestStart } from '../lease/messages.ts';
import type { Front } from './pod.ts';

export interface Doorstep {
  /** A server whose connections are looked at; `front` is asked at each. */
  open(front: () => Front): Server;
  /** Connections that are requests, at this moment. */
  count(): number;
}

/** `request` gets a paused socket with its first bytes put back. */
export function doorstep(
  request: (socket: Socket, front: Front, firstByte: number) => void,
  lease: ((socket: Socket, first: Buffer) => void) | undefined,
): Doorstep {
  let connections = 0;
  const look = (socket: Socket, front: Front) => {
    // nobody listens for errors of a socket that was closed at once: they must not become uncaught
    socket.on('error', () => socket.destroy());
    if (connections >= limits.connections) return void socket.destroy();
    connections++;
    let counted = true;
    const uncount = () => {
      if (counted) connections--;
      counted = false;
    };
    socket.on('close', uncount);
    const patience = setTimeout(() => socket.destroy(), limits.requestTimeoutMs);
    patience.unref();
    socket.on('close', () => clearTimeout(patience));
    let first: Buffer = Buffer.alloc(0);
    const onData = (chunk: Buffer) => {
      first = first.length > 0 ? Buffer.concat([first, chunk]) : chunk;
      const isLease = lease !== undefined && first.toString('latin1', 0, requestStart.length) === requestStart;
      // bytes may come one by one: wait while it could still become a lease
      if (!isLease && lease !== undefined && requestStart.startsWith(first.toString('latin1'))) return;
      socket.off('data', onData);
      socket.pause();
      clearTimeout(patience);
      if (isLease) {
        uncount();
        lease(socket, first);
      } else {
        socket.unshift(first);
        request(socket, front, first[0]!);
      }
    };
    socket.on('data', onData);
    // a lone half-close before any byte is an end
    socket.on('end', () => first.length === 0 && socket.destroy());
  };
  return {
    open: (front) => createServer({ noDelay: true, allowHalfOpen: true }, (socket) => look(socket, front())),
    count: () => connections,
  };
}
