/** Takes connections, and tells by their first bytes whether they are another agent's or a request. Bounds both. */
import type { Socket } from 'node:net';
import { limits } from '../../protocol/limits.ts';
import { prover } from '../membership/handshake.ts';
import type { Introduction } from '../membership/introduction.ts';
import { isOpening } from '../membership/messages.ts';
import type { Front } from '../pod.ts';

export interface Acceptor {
  /** A connection that came in at `front`. */
  take(socket: Socket, front: Front): void;
  /** Connections, at this moment. */
  count(): number;
}

export interface AcceptorParts {
  readonly token: string | null;
  /** Whether a port is one that this process answers on. */
  isOwn(port: number): boolean;
  introduce(front: Front): Introduction;
  /** Gets a paused socket with its first bytes put back; `proven`: it is another agent's. */
  request(socket: Socket, front: Front, firstByte: number, proven: boolean): void;
}

/** Connections that have not said anything whole: for one more, the oldest of them is closed. */
const undecidedLimit = 32;
/** New connections within a second: what would be more is closed at once. */
const newPerSecond = 500;

export function acceptor({ token, isOwn, introduce, request }: AcceptorParts): Acceptor {
  let connections = 0;
  const undecided = new Set<Socket>();
  let second = 0;
  let inSecond = 0;

  const mayCome = (): boolean => {
    const now = Math.floor(performance.now() / 1_000);
    if (now !== second) [second, inSecond] = [now, 0];
    return ++inSecond <= newPerSecond && connections < limits.connections;
  };

  function take(socket: Socket, front: Front): void {
    if (!mayCome()) return void socket.destroy();
    connections++;
    undecided.add(socket);
    if (undecided.size > undecidedLimit) undecided.values().next().value?.destroy();
    const patience = setTimeout(() => socket.destroy(), limits.requestTimeoutMs);
    patience.unref();
    const decided = (): void => {
      clearTimeout(patience);
      undecided.delete(socket);
    };
    socket.on('close', () => {
      connections--;
      decided();
    });
    const hand = (first: Buffer, proven: boolean): void => {
      decided();
      socket.pause();
      socket.unshift(first);
      request(socket, front, first[0]!, proven);
    };

    let first: Buffer = Buffer.alloc(0);
    const look = (chunk: Buffer): void => {
      first = first.length > 0 ? Buffer.concat([first, chunk]) : chunk;
      const opens = isOpening(first);
      // bytes may come one by one: wait while it could still become one
      if (opens === 'maybe') return;
      socket.off('data', look);
      if (!opens) {
        hand(first, false);
        return;
      }
      const prove = prover(token, isOwn, (text) => void socket.write(text));
      const hear = (bytes: Buffer): void => {
        try {
          const proven = prove(bytes);
          if (!proven) return;
          socket.off('data', hear);
          if (proven.intent === 'introduce') return void socket.end(`${JSON.stringify(introduce(front))}\n`);
          if (proven.rest.length > 0) hand(proven.rest, true);
          else socket.once('data', (bytes: Buffer) => hand(bytes, true));
        } catch {
          socket.destroy();
        }
      };
      socket.on('data', hear);
      hear(first);
    };
    socket.on('data', look);
    // a lone half-close before a whole request is an end
    socket.on('end', () => undecided.has(socket) && socket.destroy());
  }

  return { take, count: () => connections };
}
