/** Hands a request's socket to where it is answered; loads the server when the first request comes. */
import type { Socket } from 'node:net';
import type { Front, Pod } from './pod.ts';
import { splice } from './splice.ts';

export function receive(pod: Pod): (socket: Socket, front: Front, firstByte: number) => void {
  const serve = async (socket: Socket, front: Front, firstByte: number) => {
    try {
      const { serverOf } = await import('../serve/server.ts');
      if (!socket.destroyed) serverOf(pod).take(socket, front, firstByte);
    } catch {
      socket.destroy();
    }
  };
  return (socket, front, firstByte) => {
    if (front === 'door' || !front.asleep) return void serve(socket, front, firstByte);
    front.asleep.wake().then(
      (port) => {
        if (port === undefined) void serve(socket, front, firstByte);
        // it may have fallen asleep again just now
        else splice(socket, port, () => void serve(socket, front, firstByte));
      },
      () => socket.destroy(),
    );
  };
}
