/** gops' one-byte signals, so that the gops CLI works against a Node process: `gops/signal` and `gops/agent` are the counterpart. */
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { NodeopsError } from '../../protocol/errors.ts';
import { decodeVarint, type GopsCommand, gopsCommand } from '../../protocol/gops.ts';
import { limits } from '../../protocol/limits.ts';
import type { MemstatsReply, StackReply, StatsReply, VersionReply } from '../../protocol/replies.ts';
import { memstatsText } from '../../protocol/text/memstats.ts';
import { stackText } from '../../protocol/text/stack.ts';
import { statsText } from '../../protocol/text/stats.ts';
import type { Front, Pod } from '../pod.ts';
import { OpenFile } from '../store/open-file.ts';
import { withCapture } from './capture.ts';
import { OwnPort, readAll } from './own-port.ts';
import { cpuToPprof, heapToPprof } from './pprof.ts';

interface Asked {
  readonly own: OwnPort;
  /** The executable of the process. */
  readonly executable: string;
  /** Passes a stream on. */
  send(stream: Readable): Promise<void>;
  /** The signed varint that follows the signal. */
  argument(): Promise<number>;
}
/** Resolves to the rest of the answer. */
type Answer = (asked: Asked) => Promise<string | Uint8Array>;

const cpuMs = 30_000;
const traceMs = 5_000;
/** V8 has no profile of what was allocated before sampling began: gops, whose answer is immediate, waits this long. */
const heapMs = 5_000;

const text = (lines: readonly string[]) => `${lines.join('\n')}\n`;

const answers: Readonly<Record<GopsCommand, Answer>> = {
  stack: async ({ own }) => text(stackText(await own.ask<StackReply>('GET', 'stack'))),
  gc: async ({ own }) => {
    await own.ask('POST', 'gc');
    return 'ok';
  },
  memstats: async ({ own }) => text(memstatsText(await own.ask<MemstatsReply>('GET', 'memstats'))),
  version: async ({ own }) => `${(await own.ask<VersionReply>('GET', 'version')).nodeVersion}\n`,
  'pprof-heap': ({ own }) =>
    withCapture(own, 'pprof-heap', heapMs, async (artifact) =>
      heapToPprof(JSON.parse(String(await readAll(artifact)))),
    ),
  'pprof-cpu': ({ own }) =>
    withCapture(own, 'pprof-cpu', cpuMs, async (artifact) => cpuToPprof(JSON.parse(String(await readAll(artifact))))),
  stats: async ({ own }) => text(statsText(await own.ask<StatsReply>('GET', 'stats'))),
  trace: async ({ own, send }) => {
    await withCapture(own, 'trace', traceMs, send);
    return '';
  },
  binary: async ({ executable, send }) => {
    await send(Readable.from(new OpenFile(executable).pieces()));
    return '';
  },
  setgc: async ({ own, argument }) => {
    const percent = await argument();
    const path = `setgc?percent=${percent < 0 ? 'off' : percent}`;
    const { previous } = await own.ask<{ previous: number | null }>('POST', path);
    return `New GC percent set to ${percent}. Previous value was ${previous ?? 'off'}.\n`;
  },
};

/**
 * Answers the signal at the head of a connection and ends it; what cannot be answered is one line that says why. Nothing is
 * answered where a token is asked for: gops knows none. The port of a whole pod answers for the process that holds it.
 */
export async function answerSignal(pod: Pod, front: Front, socket: Socket): Promise<void> {
  const { first, rest } = takeFirst(socket);
  const command = gopsCommand(first);
  if (command === undefined || pod.settings.token !== null) return void socket.destroy();
  // a reader that takes nothing for this long is gone; a capture is quiet for less
  socket.setTimeout(limits.idleConnectionMs, () => socket.destroy());
  const port = front === 'pod' ? pod.self.info.port : socket.localPort!;
  const asleep = front === 'pod' ? undefined : front.asleep;
  const argument = command === 'setgc' ? readArgument(socket, rest) : undefined;
  // what a signal has no use for is not kept
  if (!argument) socket.resume();
  try {
    const reply = await answers[command]({
      own: new OwnPort(port),
      executable: executableOf(asleep && front !== 'pod' ? front.info.pid : undefined),
      send: (stream) => pipeline(stream, socket, { end: false }),
      argument: async () => argument!,
    });
    socket.end(reply);
  } catch (error) {
    if (!socket.destroyed) socket.end(`nodeops: ${explain(command, error)}\n`);
  }
}

/** Through the kernel where there is /proc: a file that was replaced since is not what runs. */
function executableOf(pid: number | undefined): string {
  return process.platform === 'linux' ? `/proc/${pid ?? 'self'}/exe` : process.execPath;
}

function explain(command: GopsCommand, error: unknown): string {
  if (error instanceof NodeopsError && error.code === 'no-such-operation')
    return `this agent does not offer ${command}`;
  return error instanceof Error ? error.message : String(error);
}

function takeFirst(socket: Socket): { first: number; rest: Buffer } {
  const bytes = (socket.read() as Buffer | null) ?? Buffer.alloc(0);
  return { first: bytes[0] ?? -1, rest: bytes.subarray(1) };
}

/** Throws when the number does not come in time, or is none. */
function readArgument(socket: Socket, first: Buffer): Promise<number> {
  return new Promise<number>((resolve, reject) => {
    let bytes = first;
    const missing = () => reject(new NodeopsError('bad-request', 'setgc takes a percentage after its signal'));
    const timer = setTimeout(missing, limits.requestTimeoutMs);
    const look = () => {
      try {
        const value = decodeVarint(bytes);
        if (value === undefined) return;
        resolve(value);
      } catch (error) {
        reject(error);
      }
      clearTimeout(timer);
      socket.off('data', take).off('end', missing).off('close', missing).resume();
    };
    const take = (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      look();
    };
    socket.on('data', take).on('end', missing).on('close', missing).resume();
    look();
  });
}
