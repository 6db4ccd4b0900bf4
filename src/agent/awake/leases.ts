/** The host's end of leases: reads the hello, and hands on what it is. A lease that lies or floods is dropped. */
import type { Socket } from 'node:net';
import { limits } from '../../protocol/limits.ts';
import { isFromHere } from '../lease/address.ts';
import { parseFromGuest, parseHello } from '../lease/believe.ts';
import {
  acceptance,
  asksForLease,
  encode,
  type FromGuest,
  type FromHost,
  type Hello,
  leaseReader,
} from '../lease/messages.ts';

/** One lease, as the host holds it. */
export interface HeldLease {
  readonly socket: Socket;
  send(message: FromHost): void;
  /** Set by who takes it: what comes after the hello, and its end. */
  heard: (message: FromGuest) => void;
  ended: () => void;
}

/** Messages in a row that a lease may send within a second. */
const messagesPerSecond = 100;

export function leaseTaker(take: (hello: Hello, lease: HeldLease) => void): (socket: Socket, first: Buffer) => void {
  let held = 0;
  return (socket, first) => {
    if (held >= limits.processes * 2 || !isFromHere(socket)) return void socket.destroy();
    held++;
    let greeted = false;
    let messages = 0;
    let second = Date.now();
    const lease: HeldLease = {
      socket,
      send: (message) => {
        // who does not read is not written to without end
        if (socket.writableLength > 1024 * 1024) socket.destroy();
        else if (!socket.destroyed) socket.write(encode(message));
      },
      heard: () => {},
      ended: () => {},
    };
    const patience = setTimeout(() => greeted || socket.destroy(), limits.requestTimeoutMs);
    patience.unref();
    socket.on('close', () => {
      held--;
      clearTimeout(patience);
      lease.ended();
    });
    socket.on('end', () => socket.destroy());
    const read = leaseReader(
      (head) => {
        if (!asksForLease(head)) throw new Error('not a lease');
        socket.write(acceptance);
      },
      (message) => {
        if (Date.now() - second > 1_000) {
          second = Date.now();
          messages = 0;
        }
        if (++messages > messagesPerSecond) throw new Error('too many messages');
        if (greeted) {
          const known = parseFromGuest(message);
          if (!known) throw new Error('unknown message');
          return lease.heard(known);
        }
        const hello = parseHello(message);
        if (!hello) throw new Error('no hello');
        greeted = true;
        take(hello, lease);
      },
    );
    const onData = (chunk: Buffer) => {
      try {
        read(chunk);
      } catch {
        socket.destroy();
      }
    };
    onData(first);
    socket.on('data', onData);
    socket.resume();
  };
}
