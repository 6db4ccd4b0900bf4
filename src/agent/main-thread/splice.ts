import type { Socket } from 'node:net';
import { builtin } from '../builtin.ts';

/** Joins a socket to a port of this process, so that either's end is the other's; backpressure holds both ways. Keeps no process alive. */
export function splice(one: Socket, port: number): void {
  const { connect } = builtin<typeof import('node:net')>('node:net');
  const other = connect({ host: '127.0.0.1', port, noDelay: true, allowHalfOpen: true });
  other.unref();
  other.on('error', () => one.destroy());
  other.on('close', () => one.destroy());
  one.on('close', () => other.destroy());
  one.pipe(other);
  other.pipe(one);
}
