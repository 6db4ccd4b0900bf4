import { connect, type Socket } from 'node:net';

/** Joins two sockets, so that either's end is the other's; backpressure holds both ways. */
export function splice(one: Socket, port: number, failed: () => void): void {
  const other = connect({ host: '127.0.0.1', port, noDelay: true, allowHalfOpen: true });
  other.once('error', () => (other.connecting ? failed() : one.destroy()));
  other.once('connect', () => {
    other.on('error', () => one.destroy());
    one.on('close', () => other.destroy());
    other.on('close', () => one.destroy());
    one.pipe(other);
    other.pipe(one);
  });
}
