/** Both ends of the handshake, over sockets. Every wait has a deadline, every buffer a bound. */
import type { Socket } from 'node:net';
import { builtin } from '../builtin.ts';
import {
  encodeAnswer,
  encodeOpening,
  encodeProof,
  type Intent,
  introductionBytes,
  isWaking,
  lineBytes,
  lineReader,
  type Opening,
  parseAnswer,
  parseOpening,
  parseProof,
} from './messages.ts';
import { isProof, newNonce, prove } from './proof.ts';

/** Within this a main thread that turns has answered. */
export const answerMs = 250;
/** Within this its worker has started; a machine with little CPU takes its time. */
const wakeMs = 2_000;

/** Why there was no proof: nobody listens, who listens does not answer in time, or answers something else. */
export type Failure = 'gone' | 'silent' | 'false';
export class HandshakeError extends Error {
  readonly failure: Failure;
  constructor(failure: Failure) {
    super(`the peer is ${failure}`);
    this.failure = failure;
  }
}

/** Connects to an agent's port and proves to each other; the socket is paused, what came after the handshake put back. Throws HandshakeError. */
export function open(port: number, intent: Intent, token: string | null, waitMs = answerMs): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const net = builtin<typeof import('node:net')>('node:net');
    const socket = net.connect({ host: '127.0.0.1', port, noDelay: true, allowHalfOpen: true });
    const opening: Opening = { intent, nonce: newNonce(token), port };
    const reader = lineReader();
    const fail = (failure: Failure): void => {
      clearTimeout(patience);
      socket.destroy();
      reject(new HandshakeError(failure));
    };
    let patience = setTimeout(fail, waitMs, 'silent');
    const hear = (chunk: Buffer): void => {
      try {
        reader.push(chunk);
        const line = reader.line(lineBytes);
        if (line === undefined) return;
        if (isWaking(line)) {
          clearTimeout(patience);
          patience = setTimeout(fail, wakeMs, 'silent');
          const more = reader.rest();
          if (more.length > 0) hear(Buffer.alloc(0));
          return;
        }
        const answer = parseAnswer(line);
        if (!answer || !isProof(answer.proof, prove(token, 'asked', opening, answer.nonce))) {
          fail('false');
          return;
        }
        clearTimeout(patience);
        socket.off('data', hear).pause();
        socket.off('error', failed).off('close', closed);
        socket.write(encodeProof(prove(token, 'asker', opening, answer.nonce)));
        if (reader.rest().length > 0) socket.unshift(reader.rest());
        resolve(socket);
      } catch {
        fail('false');
      }
    };
    const failed = (error: NodeJS.ErrnoException) => fail(error.code === 'ECONNREFUSED' ? 'gone' : 'false');
    const closed = () => fail('false');
    socket.on('data', hear).on('error', failed).on('close', closed);
    socket.on('connect', () => socket.write(encodeOpening(opening)));
  });
}

/** Asks a port who it is. Throws HandshakeError. */
export async function introduced(port: number, token: string | null): Promise<unknown> {
  const socket = await open(port, 'introduce', token);
  return new Promise((resolve, reject) => {
    const reader = lineReader();
    const fail = (failure: Failure): void => {
      clearTimeout(patience);
      socket.destroy();
      reject(new HandshakeError(failure));
    };
    const patience = setTimeout(fail, answerMs, 'silent');
    socket.on('error', () => fail('false')).on('close', () => fail('false'));
    socket.on('data', (chunk: Buffer) => {
      try {
        reader.push(chunk);
        const line = reader.line(introductionBytes);
        if (line === undefined) return;
        clearTimeout(patience);
        socket.destroy();
        resolve(JSON.parse(line));
      } catch {
        fail('false');
      }
    });
    socket.resume();
  });
}

/** What a connection proved, with what came after it. */
export interface Proven {
  readonly intent: Intent;
  readonly rest: Buffer;
}

/**
 * The asked side, fed with what comes. `isOwn` says whether a port is one of this process's. Returns undefined until the asker has
 * proved itself. Throws when it does not.
 */
export function prover(
  token: string | null,
  isOwn: (port: number) => boolean,
  write: (text: string) => void,
): (chunk: Buffer) => Proven | undefined {
  const reader = lineReader();
  let opening: Opening | undefined;
  let own = '';
  return (chunk) => {
    reader.push(chunk);
    if (!opening) {
      const line = reader.line(lineBytes);
      if (line === undefined) return undefined;
      opening = parseOpening(line);
      if (!opening || !isOwn(opening.port)) throw new Error('no opening');
      own = newNonce(token);
      write(encodeAnswer(own, prove(token, 'asked', opening, own)));
    }
    const line = reader.line(lineBytes);
    if (line === undefined) return undefined;
    const given = parseProof(line);
    if (given === undefined || !isProof(given, prove(token, 'asker', opening, own))) throw new Error('no proof');
    return { intent: opening.intent, rest: reader.rest() };
  };
}
