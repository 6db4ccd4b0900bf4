/** The main thread's end of a lease: one connection, not referenced, that costs a sleeping process its only memory. */
import { writeSync } from 'node:fs';
import type { Socket } from 'node:net';
import { builtin } from '../builtin.ts';
import {
  encode,
  type FromGuest,
  type FromHost,
  type Hello,
  isAcceptance,
  leaseReader,
  openingBytes,
} from '../lease/messages.ts';
import { guarded } from './guarded.ts';

/** How long an agent may take to answer the hello; what takes longer is no agent. */
const answerMs = 500;

export interface Lease {
  send(message: FromGuest): void;
  end(): void;
}

/**
 * Connects and says hello before the event loop has turned, so that a process that blocks from its first line on is known too.
 * Undefined when nobody listens there. `gone` is called once, with whether an agent had answered before.
 */
export function askForLease(
  address: { host: string; port: number },
  hello: Hello,
  heard: (message: FromHost) => void,
  gone: (wasAgent: boolean) => void,
): Lease | undefined {
  const net = builtin<typeof import('node:net')>('node:net');
  // isIPv6 would make V8 compile Node's pattern of such an address to machine code: 140 to 160 KB in every process
  const family = address.host.includes(':') ? 6 : 4;
  // with a lookup of its own, and only then, net calls connect(2) at once
  const lookup = (_host: string, _options: unknown, found: (error: null, address: string, family: number) => void) =>
    found(null, address.host, family);
  const socket = net.connect({
    host: 'localhost',
    port: address.port,
    family,
    autoSelectFamily: false,
    noDelay: true,
    lookup,
  });
  socket.unref();
  let over = false;
  let wasAgent = false;
  const finish = guarded(() => {
    if (over) return;
    over = true;
    clearTimeout(patience);
    socket.destroy();
    gone(wasAgent);
  });
  // after a long block timers come before what the socket has to say: look there first
  const patience = setTimeout(() => setImmediate(() => wasAgent || finish()), answerMs);
  patience.unref();
  const read = leaseReader(
    (head) => {
      wasAgent = isAcceptance(head);
      if (!wasAgent) finish();
    },
    (message) => {
      clearTimeout(patience);
      if (!over) heard(message as FromHost);
    },
  );
  socket.on('error', finish);
  socket.on('close', finish);
  socket.on('data', (chunk: Buffer) => {
    try {
      read(chunk);
    } catch {
      finish();
    }
  });
  const opening = openingBytes(hello);
  try {
    if (writeNow(socket, opening) < Buffer.byteLength(opening)) throw new Error('not written');
  } catch {
    over = true;
    clearTimeout(patience);
    socket.destroy();
    return undefined;
  }
  return {
    send(message) {
      if (over) return;
      if (!socket.connecting) socket.write(encode(message));
      else writeNow(socket, encode(message));
    },
    end() {
      over = true;
      clearTimeout(patience);
      socket.destroy();
    },
  };
}

/** Writes past the stream, which would wait for the event loop to say that the connection stands; on loopback it does already. */
function writeNow(socket: Socket, text: string): number {
  const { _handle } = socket as unknown as { _handle?: { fd?: number } };
  if (_handle?.fd === undefined || _handle.fd < 0) {
    // no descriptors on Windows: there the connection is waited for
    socket.write(text);
    return Buffer.byteLength(text);
  }
  return writeSync(_handle.fd, text);
}
