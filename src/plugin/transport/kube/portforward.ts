/** One port of one pod as a Duplex: one WebSocket, one TCP connection inside the pod. */
import type { Duplex } from 'node:stream';
import { NodeopsError } from '../../../protocol/errors.ts';
import type { KubeApi } from './api.ts';
import { decodePort } from './channels.ts';
import { explainByPod, noSuchPod, type PodRef, podGone, podPath } from './pods.ts';
import { openSocket, Rejection } from './socket.ts';
import type { Right } from './status.ts';
import { ChannelStream, type StreamSettings } from './stream.ts';

export interface PortForwardOptions extends StreamSettings {
  readonly pod: PodRef;
  readonly port: number;
  /** Checked against the pod when something fails. */
  readonly container?: string | undefined;
  /** Shown when nothing listens on the port. */
  readonly noAgentHint?: string;
}

const dataChannel = 0;
const errorChannel = 1;

/**
 * Resolves when the WebSocket is open. The API server does not say when the pod's side has connected: that nothing listens
 * there destroys the stream with `no-agent` a moment later. There is no half-close: `end()` tells the other side nothing.
 * Throws `no-such-pod`, `pod-not-running`, `no-such-container`, `forbidden`, `unauthenticated`, `unreachable`, `kubeconfig`.
 */
export async function portForward(api: KubeApi, options: PortForwardOptions, signal: AbortSignal): Promise<Duplex> {
  const { pod, port, container } = options;
  const name = `pod '${pod.name}' in namespace '${pod.namespace}'`;
  const socket = await openSocket(
    api,
    `${podPath(pod)}/portforward`,
    [['ports', String(port)]],
    ['v4.channel.k8s.io'],
    signal,
  ).catch(async (error) => {
    throw error instanceof Rejection ? await explainRejection(api, pod, 'portforward', container, error) : error;
  });
  const announced = new Set<number>();
  return new ChannelStream(socket, {
    ...options,
    name,
    readChannel: dataChannel,
    writeChannel: dataChannel,
    tellsEnd: false,
    inspect: (channel, payload) => {
      if (channel > errorChannel) return true;
      if (!announced.has(channel)) {
        announced.add(channel);
        if (decodePort(payload) === port) return true;
        return Promise.resolve(
          new NodeopsError(
            'unreachable',
            `${api.connection.server.origin} (${api.connection.source}) does not speak port-forward as Kubernetes does`,
          ),
        );
      }
      if (channel === dataChannel) return false;
      return explainByPod(api, pod, container, portError(name, port, payload.toString(), options.noAgentHint));
    },
    lookAfter: (openMs) => podGone(api, pod, openMs),
  });
}

function portError(name: string, port: number, text: string, hint: string | undefined): NodeopsError {
  if (text.includes('connection refused'))
    return new NodeopsError('no-agent', `nothing listens on port ${port} of ${name}`, {
      ...(hint !== undefined && { hint }),
      detail: { port },
    });
  return new NodeopsError('unreachable', `port ${port} of ${name} cannot be reached: ${lastClause(text)}`, {
    hint: 'try again',
    detail: { text: text.slice(0, 2_000) },
  });
}

/** containerd nests its errors; the last clause is the cause. */
function lastClause(text: string): string {
  return text.trim().slice(-200).split(': ').slice(-2).join(': ');
}

/** The error for a refused port-forward or exec of a pod; `create` is needed besides `get` since WebSockets are GETs. */
export async function explainRejection(
  api: KubeApi,
  pod: PodRef,
  subresource: 'portforward' | 'exec',
  container: string | undefined,
  { httpStatus, status }: Rejection,
): Promise<NodeopsError> {
  const rights: Right[] = ['get', 'create'].map((verb) => ({
    verb,
    resource: 'pods',
    subresource,
    group: '',
    namespace: pod.namespace,
  }));
  if (httpStatus === 404 && status.reason === 'NotFound') return noSuchPod(api, pod);
  const error = await api.explain(httpStatus, status, `GET ${podPath(pod)}/${subresource}`, rights);
  // pending (400), completed (500), no such container (400), not known to its kubelet (404): the pod itself knows better
  return httpStatus === 400 || httpStatus === 404 || httpStatus >= 500
    ? explainByPod(api, pod, container, error)
    : error;
}
