/** `--attach=ephemeral`: our image as an ephemeral container beside the app's. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { NodeopsError } from '../../../protocol/errors.ts';
import { duration } from '../../../protocol/text/quantities.ts';
import { AgentClient } from '../../client/client.ts';
import type { Endpoint } from '../../target.ts';
import type { KubeApi } from '../kube/api.ts';
import { type PodRef, podPath } from '../kube/pods.ts';
import { ephemeralContainer, idleExitMs, reusable } from './ephemeral-spec.ts';
import { type AttachPod, type ContainerStatus, chooseContainer, type EphemeralSpec, readPod } from './pod-spec.ts';

export interface EphemeralAttachment {
  readonly pod: PodRef;
  readonly container: string | undefined;
  readonly image: string;
  readonly port: number;
  /** The pod's port, through the API server. */
  readonly endpoint: Endpoint;
  /** Sentences for the user. */
  readonly say: (text: string) => void;
}

export const ephemeralLimits = {
  /** Until the container runs: most of it is the image's pull. */
  startMs: 180_000,
  /** Between looks at the pod. */
  lookMs: 500,
  /** Until a running container listens. */
  listenMs: 15_000,
} as const;

/** Reasons for which a container waits that do not pass by themselves. */
const hopeless =
  /^(?:ErrImagePull|ImagePullBackOff|InvalidImageName|ErrImageNeverPull|ImageInspectError|RegistryUnavailable|CreateContainerConfigError|CreateContainerError|RunContainerError|CrashLoopBackOff)$/;

/** Resolves when the sidecar listens. Throws what stands in the way. */
export async function attachEphemeral(
  api: KubeApi,
  { pod: ref, container: named, image, port, endpoint, say }: EphemeralAttachment,
  signal: AbortSignal,
): Promise<void> {
  const pod = await readPod(api, ref, named, signal);
  const container = chooseContainer(ref, pod, named);
  const wished = ephemeralContainer({ name: `nodeops-${randomBytes(3).toString('hex')}`, image, port }, container, pod);
  const place = `pod '${ref.name}' in namespace '${ref.namespace}'`;
  const there = reusable(pod, wished);
  if (there) say(`using the ephemeral container '${there.name}' that is in ${place} already`);
  else {
    say(
      `adding the ephemeral container '${wished.name}' (${image}) to ${place}; it ends when nobody has asked for ${duration(idleExitMs)}, and stays listed in the pod`,
    );
    await add(api, ref, wished, signal);
    await running(api, ref, wished, place, { say, signal });
  }
  await listening(api, ref, endpoint, there ?? wished, signal);
}

async function add(api: KubeApi, ref: PodRef, wished: EphemeralSpec, signal: AbortSignal): Promise<void> {
  const right = {
    verb: 'patch',
    resource: 'pods',
    subresource: 'ephemeralcontainers',
    group: '',
    namespace: ref.namespace,
  };
  try {
    const patch = { spec: { ephemeralContainers: [wished] } };
    await api.patch(`${podPath(ref)}/ephemeralcontainers`, patch, { signal, rights: [right] });
  } catch (error) {
    if (!(error instanceof NodeopsError)) throw error;
    if (error.code === 'forbidden' && /PodSecurity|admission|denied/.test(error.message))
      throw new NodeopsError('forbidden', `the namespace's policy refuses the ephemeral container: ${error.message}`, {
        cause: error,
        hint: `--attach=exec adds nothing to the pod; or look at: ${api.connection.kubectl} get namespace ${ref.namespace} --show-labels`,
      });
    throw error;
  }
}

async function running(
  api: KubeApi,
  ref: PodRef,
  wished: EphemeralSpec,
  place: string,
  { say, signal }: { say: (text: string) => void; signal: AbortSignal },
): Promise<void> {
  const endAt = performance.now() + ephemeralLimits.startMs;
  let said = '';
  for (;;) {
    const status = statusOf(await readPod(api, ref, undefined, signal), wished);
    const { waiting, terminated, running } = status?.state ?? {};
    if (running) return;
    if (terminated) throw ended(api, ref, wished, place, terminated);
    const why = [waiting?.reason, waiting?.message].filter(Boolean).join(': ') || 'not started yet';
    const problem = hopeless.test(waiting?.reason ?? '') || performance.now() > endAt;
    if (problem) throw notStarted(api, ref, wished, place, why);
    if (why !== said) say(`waiting for '${wished.name}' in ${place}: ${why}`);
    said = why;
    await sleep(ephemeralLimits.lookMs, undefined, { signal });
  }
}

/** It runs before it listens. */
async function listening(
  api: KubeApi,
  ref: PodRef,
  endpoint: Endpoint,
  container: EphemeralSpec,
  signal: AbortSignal,
): Promise<void> {
  const endAt = performance.now() + ephemeralLimits.listenMs;
  for (;;) {
    const client = new AgentClient(endpoint);
    try {
      const { data } = await client.ask('processes', {}, { signal });
      if (data.processes.length > 0 || performance.now() > endAt) return;
    } catch (error) {
      if (!(error instanceof NodeopsError) || error.code !== 'no-agent') throw error;
      if (performance.now() > endAt)
        throw new NodeopsError('no-agent', `${error.message}, although '${container.name}' runs there`, {
          cause: error,
          hint: `${api.connection.kubectl} logs -n ${ref.namespace} ${ref.name} -c ${container.name}`,
        });
    } finally {
      client.close();
    }
    await sleep(ephemeralLimits.lookMs / 2, undefined, { signal });
  }
}

function statusOf(pod: AttachPod, { name }: EphemeralSpec): ContainerStatus | undefined {
  return pod.status?.ephemeralContainerStatuses?.find((one) => one.name === name);
}

function notStarted(
  api: KubeApi,
  ref: PodRef,
  { name, image }: EphemeralSpec,
  place: string,
  why: string,
): NodeopsError {
  const pull = /image/i.test(why);
  return new NodeopsError(
    'failed',
    `the ephemeral container '${name}' in ${place} does not start: ${why.slice(0, 400)}`,
    {
      hint: pull
        ? `${image} cannot be pulled by the node: name one that can with --attach-image or NODEOPS_ATTACH_IMAGE, or use --attach=exec`
        : `${api.connection.kubectl} describe pod -n ${ref.namespace} ${ref.name}`,
      detail: { container: name, image, why },
    },
  );
}

function ended(
  api: KubeApi,
  ref: PodRef,
  { name }: EphemeralSpec,
  place: string,
  { reason = 'Error', exitCode, message }: { reason?: string; message?: string; exitCode?: number },
): NodeopsError {
  const why = `${reason}, exit code ${exitCode ?? 'unknown'}${message ? `: ${message.slice(0, 300)}` : ''}`;
  return new NodeopsError('failed', `the ephemeral container '${name}' in ${place} ended at once: ${why}`, {
    hint: `${api.connection.kubectl} logs -n ${ref.namespace} ${ref.name} -c ${name}`,
  });
}
