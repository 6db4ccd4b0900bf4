/** Standard input and output as one stream. */
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { joined } from '../protocol/joined.ts';

/**
 * `process.stdout` would write to a pipe synchronously: a reader that stands still would then hold this whole program, and with it
 * an app that it has paused.
 */
export function stdio(): Duplex {
  return joined(process.stdin, new Socket({ fd: 1, readable: false, writable: true }));
}
