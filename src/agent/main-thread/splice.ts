import type { Socket } from 'node:net';
import { builtin } from '../builtin.ts';

const againMs = 20;

/** Joins a socket to a port of this process, so that either's end is the other's; backpressure holds both ways. Keeps no process alive. */
export function splice(one: Socket, port: number, tries = 25): void {
  let connected = false;
  const { connect } = builtin<typeof import('node:net')>('node:net');
  const other = connect({ host: '127.0.0.1', port, noDelay: true, allowHalfOpen: true });
  other.unref();
  other.on('error', () => {
    // the port is about to be another's
    if (tries > 0 && !connected && !one.destroyed) setTimeout(splice, againMs, one, port, tries - 1).unref();
    else one.destroy();
  });
  other.on('connect', () => {
    connected = true;
    other.on('close', () => one.destroy());
    one.on('close', () => other.destroy());
    one.pipe(other);
    other.pipe(one);
  });
}
