/** pods/portforward over `v4.channel.k8s.io`, as the kubelet and containerd behave. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PodWorker } from '../kubelet/pod.ts';
import { DialError } from '../kubelet/sandbox.ts';
import type { ServerWebSocket, SocketHandlers } from './websocket.ts';

/** Payload of one frame towards the client. */
const chunkBytes = 32 * 1024;
/** How long after the pod's end of the connection the close frame comes. */
const lingerMs = 1000;

const namespaceIds = new WeakMap<PodWorker, { id: string; netns: string }>();

/** containerd's words for a connection that could not be made. */
export function dialFailure(worker: PodWorker, port: number, error: unknown): string {
  const names = namespaceIds.get(worker) ?? { id: randomBytes(32).toString('hex'), netns: randomUUID() };
  namespaceIds.set(worker, names);
  const code = error instanceof DialError ? error.code : String(error);
  const texts: Record<string, string> = {
    ECONNREFUSED: 'connection refused',
    ENETDOWN: 'network is down',
    ENETUNREACH: 'network is unreachable',
  };
  const why = texts[code] ?? code;
  return `error forwarding port ${port} to pod ${names.id}, uid : failed to execute portforward in network namespace "/var/run/netns/cni-${names.netns}": failed to connect to localhost:${port} inside namespace "${names.id}", IPv4: dial tcp4 127.0.0.1:${port}: connect: ${why} IPv6 dial tcp6: address localhost: no suitable address found `;
}

export function servePortForward(socket: ServerWebSocket, worker: PodWorker, ports: readonly number[]): SocketHandlers {
  const connections: (Promise<Socket | undefined> | undefined)[] = [];
  const header = (channel: number, port: number) => Buffer.from([channel, port & 0xff, port >> 8]);
  ports.forEach((port, i) => {
    socket.send(header(2 * i, port));
    socket.send(header(2 * i + 1, port));
  });
  const forwards = ports.map((port, i) => {
    const connected = connect(socket, worker, port, 2 * i + 1);
    connections[i] = connected;
    return connected.then((pod) => pod && pump(socket, worker, pod, 2 * i));
  });
  void Promise.all(forwards).then(() => socket.close());
  return {
    onFrame: async (payload) => {
      const channel = payload[0];
      if (channel === undefined || channel % 2 === 1) return;
      const pod = await connections[channel / 2];
      if (!pod || pod.destroyed || !pod.writable) return;
      if (!pod.write(payload.subarray(1))) await drained(pod);
    },
    onClose: () => {
      for (const connection of connections) void connection?.then((pod) => pod?.destroy());
    },
  };
}

async function connect(
  socket: ServerWebSocket,
  worker: PodWorker,
  port: number,
  errors: number,
): Promise<Socket | undefined> {
  try {
    const { sandbox } = worker;
    if (!sandbox) throw new DialError('ENETDOWN');
    const pod = await sandbox.dial(port);
    pod.setNoDelay(true);
    pod.on('error', () => pod.destroy());
    if (socket.closed) pod.destroy();
    return pod;
  } catch (error) {
    if (worker.terminating) return await new Promise<never>(() => {});
    socket.send(Buffer.from([errors]), Buffer.from(dialFailure(worker, port, error)));
    return undefined;
  }
}

/** Carries the pod's bytes to the client until the pod's end closes. There is no half-close: that end closes both. */
async function pump(socket: ServerWebSocket, worker: PodWorker, pod: Socket, channel: number): Promise<void> {
  const label = Buffer.from([channel]);
  try {
    for await (const data of pod) {
      const bytes = data as Buffer;
      for (let at = 0; at < bytes.length; at += chunkBytes) {
        // a pod that is being killed sends nothing more and no close
        if (worker.terminating) return await forever(pod);
        if (!socket.send(label, bytes.subarray(at, at + chunkBytes))) await socket.drained();
      }
    }
  } catch {
    // reset by the process in the pod: an end like any other
  }
  if (worker.terminating) return await forever(pod);
  pod.destroy();
  await sleep(lingerMs);
  // the sandbox can go within that second
  if (worker.terminating) await forever(pod);
}

function forever(pod: Socket): Promise<never> {
  pod.destroy();
  return new Promise(() => {});
}

function drained(pod: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      pod.off('drain', done).off('close', done);
      resolve();
    };
    pod.on('drain', done).on('close', done);
  });
}
