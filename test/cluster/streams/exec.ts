/** pods/exec over `v5.channel.k8s.io` and `v4.channel.k8s.io`. */
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { exitCodeOf, type Run } from '../kubelet/container.ts';
import type { ServerWebSocket, SocketHandlers } from './websocket.ts';

export interface ExecOptions {
  readonly command: readonly string[];
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
  readonly protocol: string;
}

const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3, close: 255 } as const;
const chunkBytes = 32 * 1024;

export function serveExec(socket: ServerWebSocket, container: Run, options: ExecOptions): SocketHandlers {
  const { stdin, stdout, stderr, tty, command, protocol } = options;
  // tells the client that the connection stands
  socket.send(Buffer.from([stdout ? channels.stdout : stderr ? channels.stderr : channels.error]));
  const finish = (status: object) => {
    socket.send(Buffer.from([channels.error]), Buffer.from(JSON.stringify(status)));
    socket.close();
  };
  if (!container.has(command[0]!)) {
    // on a real node the refusal comes from the runtime, a little later than the connection
    finish(notStarted(command[0]!));
    return { onFrame: () => {}, onClose: () => {} };
  }
  const child = container.exec(command, tty);
  child.stdin!.on('error', () => child.stdin!.destroy());
  if (!stdin) child.stdin!.end();
  const outputs = [carry(child.stdout!, socket, stdout ? channels.stdout : undefined)];
  outputs.push(
    carry(child.stderr!, socket, stderr && !tty ? channels.stderr : tty && stdout ? channels.stdout : undefined),
  );
  void ended(child, outputs).then((code) => finish(code === 0 ? success : exitStatus(code, command, protocol)));
  return {
    onFrame: async (payload) => {
      const channel = payload[0];
      if (channel === channels.close && protocol === 'v5.channel.k8s.io') {
        if (payload[1] === channels.stdin) child.stdin!.end();
        return;
      }
      // channel 4 is the terminal's size, which has no effect here
      if (channel !== channels.stdin || !stdin || !child.stdin!.writable) return;
      if (!child.stdin!.write(payload.subarray(1)))
        await Promise.race([once(child.stdin!, 'drain'), once(child.stdin!, 'close')]);
    },
    onClose: () => {
      child.stdin!.destroy();
      child.stdout!.destroy();
      child.stderr!.destroy();
    },
  };
}

async function ended(child: ChildProcess, outputs: Promise<void>[]): Promise<number> {
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  await Promise.all(outputs);
  return exitCodeOf(code, signal);
}

async function carry(stream: Readable, socket: ServerWebSocket, channel: number | undefined): Promise<void> {
  try {
    for await (const data of stream) {
      const bytes = data as Buffer;
      if (channel === undefined) continue;
      for (let at = 0; at < bytes.length; at += chunkBytes)
        if (!socket.send(Buffer.from([channel]), bytes.subarray(at, at + chunkBytes))) await socket.drained();
    }
  } catch {
    // destroyed because the client went
  }
}

const success = { metadata: {}, status: 'Success' };

function exitStatus(code: number, command: readonly string[], protocol: string): object {
  const inner =
    protocol === 'v5.channel.k8s.io'
      ? `command terminated with exit code ${code}`
      : `error executing command [${command.join(' ')}], exit code ${code}`;
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: ${inner}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
  };
}

function notStarted(command: string): object {
  const why = command.includes('/')
    ? `stat ${command}: no such file or directory`
    : 'executable file not found in $PATH';
  const inner = `error executing command in container: failed to exec in container: failed to start exec "${randomBytes(32).toString('hex')}": OCI runtime exec failed: exec failed: unable to start container process: exec: "${command}": ${why}`;
  return {
    metadata: {},
    status: 'Failure',
    message: `Internal error occurred: Internal error occurred: ${inner}`,
    reason: 'InternalError',
    details: { causes: [{ message: `Internal error occurred: ${inner}` }] },
    code: 500,
  };
}
