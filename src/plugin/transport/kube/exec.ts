/** A command in a container: stdin and stdout as a Duplex, the end of its stderr, and its exit. */
import type { Duplex } from 'node:stream';
import { NodeopsError } from '../../../protocol/errors.ts';
import type { KubeApi } from './api.ts';
import { decodeExit, execStatus, stderr, stdin, stdout } from './channels.ts';
import { explainByPod, type PodRef, podGone, podPath } from './pods.ts';
import { explainRejection } from './portforward.ts';
import { openSocket, Rejection } from './socket.ts';
import { ChannelStream, type StreamSettings } from './stream.ts';

export interface ExecOptions extends StreamSettings {
  readonly pod: PodRef;
  readonly container?: string | undefined;
  /** argv of the command. */
  readonly command: readonly string[];
}
export interface Exit {
  readonly code: number;
  /** What the runtime says of a failure: `command terminated with exit code 3`, or why the command could not be started. */
  readonly message: string;
}
export interface Exec {
  /** Ending it ends the command's stdin (where the server speaks v5, Kubernetes 1.30); destroying it drops the connection. */
  readonly stream: Duplex;
  /** The last 64 KiB of stderr. */
  stderr(): string;
  /** Rejects with the error that destroyed the stream, if no exit was told before. */
  readonly exit: Promise<Exit>;
}

const stderrLimitBytes = 64 * 1024;

/** Throws as `portForward`, and `no-such-container` or `ambiguous-container` with the choices. */
export async function exec(api: KubeApi, options: ExecOptions, signal: AbortSignal): Promise<Exec> {
  const { pod, container, command } = options;
  const query: [string, string][] = command.map((argument) => ['command', argument]);
  if (container !== undefined) query.push(['container', container]);
  for (const channel of ['stdin', 'stdout', 'stderr']) query.push([channel, 'true']);
  const path = `${podPath(pod)}/exec`;
  const socket = await openSocket(api, path, query, ['v5.channel.k8s.io', 'v4.channel.k8s.io'], signal).catch(
    async (error) => {
      throw error instanceof Rejection
        ? (ambiguous(pod, error) ?? (await explainRejection(api, pod, 'exec', container, error)))
        : error;
    },
  );
  let resolveExit!: (exit: Exit) => void;
  let rejectExit!: (error: Error) => void;
  const exit = new Promise<Exit>((resolve, reject) => {
    resolveExit = resolve;
    rejectExit = reject;
  });
  // whoever only reads the stream learns of a failure there
  exit.catch(() => {});
  let tail = Buffer.alloc(0);
  const name = `pod '${pod.name}' in namespace '${pod.namespace}'`;
  const stream = new ChannelStream(socket, {
    ...options,
    name,
    readChannel: stdout,
    writeChannel: stdin,
    tellsEnd: socket.protocol.startsWith('v5'),
    inspect: (channel, payload) => {
      if (channel === stderr) tail = Buffer.concat([tail, payload]).subarray(-stderrLimitBytes);
      if (channel === execStatus && payload.length > 0) {
        const told = decodeExit(payload);
        if (!told) {
          const text = payload.toString().slice(0, 500);
          return explainByPod(api, pod, container, new NodeopsError('unreachable', `exec in ${name} failed: ${text}`));
        }
        resolveExit(told);
      }
      return channel !== stdout;
    },
    lookAfter: (openMs) => podGone(api, pod, openMs),
  });
  stream.once('close', () =>
    rejectExit(
      stream.errored ??
        new NodeopsError('unreachable', `the connection to ${name} was closed before the command ended`),
    ),
  );
  return { stream, stderr: () => tail.toString(), exit };
}

function ambiguous(pod: PodRef, { status }: Rejection): NodeopsError | undefined {
  const choices = /a container name must be specified for pod \S+ choose one of: \[([^\]]*)\]/.exec(
    status.message ?? '',
  )?.[1];
  if (choices === undefined) return undefined;
  const containers = choices.split(' ').filter(Boolean);
  return new NodeopsError(
    'ambiguous-container',
    `pod '${pod.name}' in namespace '${pod.namespace}' has several containers`,
    {
      hint: `-c with one of: ${containers.join(', ')}`,
      detail: { containers },
    },
  );
}
