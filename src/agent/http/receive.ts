/** Hands a request's socket to where it is answered; loads the server when the first request comes. */
import type { Socket } from 'node:net';
import type { Front, Pod } from '../pod.ts';

export function receive(pod: Pod): (socket: Socket, front: Front, firstByte: number, proven: boolean) => void {
  return async (socket, front, firstByte, proven) => {
    try {
      const { serverOf } = await import('./server.ts');
      if (!socket.destroyed) serverOf(pod).take(socket, front, firstByte, proven);
    } catch {
      socket.destroy();
    }
  };
}
