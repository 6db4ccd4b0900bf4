/**
 * The port of a process on standby, on its main thread: one handle, which runs nothing until somebody connects. Other agents are told who this
 * is; whoever wants more is joined to the worker that is started for them.
 */
import type { Socket } from 'node:net';
import { limits } from '../../protocol/limits.ts';
import { prover } from '../membership/handshake.ts';
import type { Introduction } from '../membership/introduction.ts';
import { isTaken, type Listening, listenOn } from '../membership/listen.ts';
import { isOpening, lineBytes, parseOpening, waking } from '../membership/messages.ts';
import { ownPorts, readListeners } from '../membership/ports.ts';
import { guarded } from './guarded.ts';
import { splice } from './splice.ts';

export interface StandbyParts {
  readonly token: string | null;
  /** What ports are chosen by: any number that differs between processes of a pod. */
  readonly seed: number;
  introduction(port: number): Introduction;
  /** Starts the worker, or finds it started: its port; `known`: the known port of the pod, once that is the worker's. */
  wake(known: boolean): Promise<number | undefined>;
}

export interface Standby {
  /** 0 where none is to be had. */
  readonly port: number;
  /** A connection to the known port. */
  take(socket: Socket): void;
  close(): void;
}

/** Connections at a time, and within a while: whoever sends more is not heard for a time, each time for longer. */
const openLimit = 32;
const floodLimit = 100;
const floodMs = 10_000;
const longestPauseMs = 300_000;

export function openStandby({ token, seed, introduction, wake }: StandbyParts): Standby {
  let open = 0;
  let since = performance.now();
  let recent = 0;
  let pauseMs = floodMs;
  let listening: Listening | undefined;
  let port = 0;
  let closed = false;

  function listen(): void {
    const taken = new Set((readListeners() ?? []).map((one) => one.port));
    for (const candidate of port > 0 ? [port] : ownPorts(process.pid, seed, taken)) {
      const outcome = listenOn({ host: '127.0.0.1', port: candidate }, (socket) => take(socket, false));
      if (typeof outcome !== 'number') {
        listening = outcome;
        port = candidate;
        return;
      }
      if (!isTaken(outcome)) return;
    }
  }

  /** Every connection costs the app some time: a stranger's flood must not. */
  function isFlooded(): boolean {
    const now = performance.now();
    if (now - since > floodMs) {
      since = now;
      recent = 0;
    }
    if (++recent <= floodLimit) return false;
    listening?.close();
    listening = undefined;
    setTimeout(
      guarded(() => {
        recent = 0;
        if (!closed && !listening) listen();
      }),
      pauseMs,
    ).unref();
    pauseMs = Math.min(longestPauseMs, pauseMs * 2);
    return true;
  }

  function take(socket: Socket, known: boolean): void {
    if (closed || open >= openLimit || isFlooded()) return void socket.destroy();
    open++;
    socket.unref();
    const patience = setTimeout(() => socket.destroy(), limits.requestTimeoutMs);
    patience.unref();
    socket.on('close', () => {
      open--;
      clearTimeout(patience);
    });
    let first: Buffer = Buffer.alloc(0);
    let prove: ReturnType<typeof prover> | undefined;
    const hear = (chunk: Buffer): void => {
      if (prove) {
        if (prove(chunk)) socket.end(`${JSON.stringify(introduction(port))}\n`);
        return;
      }
      first = first.length > 0 ? Buffer.concat([first, chunk]) : chunk;
      const opens = isOpening(first);
      const end = first.indexOf(10);
      if (opens === 'maybe' || (opens && end < 0 && first.length <= lineBytes)) return;
      if (opens && parseOpening(first.toString('latin1', 0, end))?.intent === 'introduce') {
        prove = prover(
          token,
          (asked) => asked === port,
          (text) => void socket.write(text),
        );
        hear(first);
        return;
      }
      clearTimeout(patience);
      socket.off('data', onData).pause();
      socket.unshift(first);
      if (opens) socket.write(waking);
      wake(known).then(
        guarded((own: number | undefined) => (own === undefined ? socket.destroy() : splice(socket, own))),
        () => socket.destroy(),
      );
    };
    const onData = (chunk: Buffer): void => {
      try {
        hear(chunk);
      } catch {
        socket.destroy();
      }
    };
    socket.on('data', onData);
    socket.on('end', () => first.length === 0 && socket.destroy());
  }

  listen();
  return {
    get port() {
      return port;
    },
    take: (socket) => take(socket, true),
    close() {
      closed = true;
      listening?.close();
    },
  };
}
