/** Why a pod cannot be asked, in one sentence, from one GET of it: done after a failure, never before a success. */
import { statusAnnotations, wishAnnotations } from '../../../protocol/annotations.ts';
import { sidecarContainer } from '../../../protocol/attach.ts';
import { NodeopsError } from '../../../protocol/errors.ts';
import type { KubeApi } from './api.ts';

export interface PodRef {
  readonly namespace: string;
  readonly name: string;
  /** The Kubernetes node it runs on, where the pod was looked up anyway. */
  readonly node?: string | undefined;
}
interface ContainerStatus {
  readonly name: string;
  readonly state?: {
    readonly waiting?: { readonly reason?: string; readonly message?: string };
    readonly running?: { readonly startedAt?: string };
    readonly terminated?: { readonly reason?: string; readonly exitCode?: number };
  };
}
/** The parts of a Pod that are read here. */
export interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly creationTimestamp?: string;
    readonly deletionTimestamp?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: {
    readonly nodeName?: string;
    readonly containers?: readonly { readonly name: string }[];
    readonly initContainers?: readonly { readonly name: string; readonly restartPolicy?: string }[];
    readonly ephemeralContainers?: readonly { readonly name: string }[];
  };
  readonly status?: {
    readonly phase?: string;
    readonly reason?: string;
    readonly message?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[];
    readonly containerStatuses?: readonly ContainerStatus[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
  };
}

/** A GET that only explains a failure is not waited for longer than this. */
const explainTimeoutMs = 5_000;

export function podPath({ namespace, name }: PodRef): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}`;
}

/** Names of the containers a process of the pod can run in. */
export function containersOf({ spec }: Pod): string[] {
  const sidecars = (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  return [...(spec?.containers ?? []), ...sidecars, ...(spec?.ephemeralContainers ?? [])].map(({ name }) => name);
}

export function noSuchPod(api: KubeApi, { namespace, name }: PodRef, cause?: unknown): NodeopsError {
  return new NodeopsError('no-such-pod', `there is no pod '${name}' in namespace '${namespace}'`, {
    cause,
    hint: `${api.connection.kubectl} get pods -n ${namespace}`,
  });
}

/** The pod, or `no-such-pod`, `forbidden`, … */
export async function getPod(api: KubeApi, ref: PodRef, signal?: AbortSignal): Promise<{ pod: Pod; atMs: number }> {
  try {
    const rights = [{ verb: 'get', resource: 'pods', namespace: ref.namespace }];
    const { value, atMs } = await api.getDated<Pod>(podPath(ref), { signal, rights });
    return { pod: value, atMs };
  } catch (error) {
    if (error instanceof NodeopsError && error.code === 'nothing-matched') throw noSuchPod(api, ref, error);
    throw error;
  }
}

/** What the pod's own state says about a failure; `otherwise` when it says nothing, or cannot be read. */
export async function explainByPod(
  api: KubeApi,
  ref: PodRef,
  container: string | undefined,
  otherwise: NodeopsError,
): Promise<NodeopsError> {
  try {
    const { pod, atMs } = await getPod(api, ref, AbortSignal.timeout(explainTimeoutMs));
    return (
      notRunning(api, ref, pod) ??
      noSuchContainer(ref, pod, container) ??
      containerNotRunning(api, ref, pod, container) ??
      (agentComes(pod, container, atMs) ? asComing(otherwise) : otherwise)
    );
  } catch (error) {
    return error instanceof NodeopsError && error.code === 'no-such-pod' ? error : otherwise;
  }
}

/** A container that was started less long ago may not have loaded its agent yet. */
const startingMs = 6_000;

/** Whether its annotations say that there is an agent, and a container has only just been started. */
function agentComes({ metadata, status }: Pod, container: string | undefined, nowMs: number): boolean {
  const { [statusAnnotations.injected]: injected, [wishAnnotations.inject]: wished } = metadata.annotations ?? {};
  if (!injected && wished !== 'true') return false;
  return (status?.containerStatuses ?? []).some(
    ({ name, state }) =>
      (container === undefined || name === container) &&
      nowMs - Date.parse(state?.running?.startedAt ?? '') < startingMs,
  );
}

/** Whoever asked may ask again. */
function asComing(error: NodeopsError): NodeopsError {
  if (error.code !== 'no-agent') return error;
  const { message, hint, detail } = error;
  return new NodeopsError(error.code, message, {
    ...(hint !== undefined && { hint }),
    detail: { ...detail, coming: true },
  });
}

/** `no-such-container` with the choices, if the pod has no container of that name. */
export function noSuchContainer(ref: PodRef, pod: Pod, container: string | undefined): NodeopsError | undefined {
  const containers = containersOf(pod);
  if (container === undefined || containers.length === 0 || containers.includes(container)) return undefined;
  const name = `pod '${ref.name}' in namespace '${ref.namespace}'`;
  return new NodeopsError('no-such-container', `${name} has no container '${container}'`, {
    hint: `-c with one of: ${containers.join(', ')}`,
    detail: { containers },
  });
}

/** Others of its containers may run; the one that was asked for does not. */
function containerNotRunning(
  api: KubeApi,
  { namespace, name }: PodRef,
  { status }: Pod,
  container: string | undefined,
): NodeopsError | undefined {
  const all = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
  const found = all.find((candidate) => candidate.name === container);
  if (!found || found.state?.running) return undefined;
  const { terminated } = found.state ?? {};
  const state = waitingReason([found]) ?? `container '${found.name}' ended with ${terminated?.reason ?? 'Error'}`;
  return new NodeopsError('pod-not-running', `pod '${name}' in namespace '${namespace}': ${state}`, {
    hint: `${api.connection.kubectl} logs ${name} -n ${namespace} -c ${found.name} --previous`,
  });
}

/** Whether a sidecar of ours runs in it, which answers for what crashed containers kept. */
export function sidecarRuns({ status }: Pod): boolean {
  return (status?.initContainerStatuses ?? []).some(({ name, state }) => name === sidecarContainer && state?.running);
}

/** `pod-not-running` with the reason that the cluster gives; undefined for a pod with a running container. */
export function notRunning(
  api: KubeApi,
  { namespace, name }: PodRef,
  { status, metadata }: Pod,
): NodeopsError | undefined {
  const state = stateOf(status);
  if (state === undefined) return undefined;
  const ending = metadata.deletionTimestamp ? ' and is being deleted' : '';
  return new NodeopsError('pod-not-running', `pod '${name}' in namespace '${namespace}' ${state}${ending}`, {
    hint: `${api.connection.kubectl} describe pod ${name} -n ${namespace}`,
    detail: { phase: status?.phase ?? null },
  });
}

function stateOf(status: Pod['status']): string | undefined {
  const containers = status?.containerStatuses ?? [];
  switch (status?.phase) {
    case 'Pending': {
      const why = waitingReason([...(status.initContainerStatuses ?? []), ...containers]) ?? unscheduled(status);
      return `is pending${why ? `: ${why}` : ''}`;
    }
    case 'Succeeded':
      return 'has completed';
    case 'Failed':
      return `has failed${reasonOf(status, containers)}`;
    default: {
      if (containers.length === 0 || containers.some(({ state }) => state?.running)) return undefined;
      const why = waitingReason(containers) ?? 'its containers have ended';
      return `has no running container: ${why}`;
    }
  }
}

function waitingReason(containers: readonly ContainerStatus[]): string | undefined {
  const waiting = containers.find(({ state }) => state?.waiting?.reason && state.waiting.reason !== 'PodInitializing');
  if (!waiting) return undefined;
  const { reason, message } = waiting.state!.waiting!;
  return `container '${waiting.name}' waits with ${reason}${message ? ` (${message.slice(0, 200)})` : ''}`;
}

function unscheduled(status: NonNullable<Pod['status']>): string | undefined {
  return status.conditions?.find(({ type, status }) => type === 'PodScheduled' && status === 'False')?.message;
}

function reasonOf(status: NonNullable<Pod['status']>, containers: readonly ContainerStatus[]): string {
  if (status.reason) return `: ${status.reason}`;
  const ended = containers.find(({ state }) => (state?.terminated?.exitCode ?? 0) !== 0);
  if (!ended) return '';
  const { reason, exitCode } = ended.state!.terminated!;
  return `: container '${ended.name}' ended with ${reason ?? 'Error'}, exit code ${exitCode}`;
}

/**
 * Watches one pod behind a stream: whether the pod that the stream was opened to at `openedAtMs` (our clock) is still there.
 * Resolves to `stalled` when it is gone, was replaced or has ended; undefined when it lives or cannot be looked at.
 */
export async function podGone(api: KubeApi, ref: PodRef, openMs: number): Promise<NodeopsError | undefined> {
  const stalled = (why: string) =>
    new NodeopsError(
      'stalled',
      `the connection to pod '${ref.name}' in namespace '${ref.namespace}' stands still: ${why}`,
      {
        hint: `${api.connection.kubectl} get pod ${ref.name} -n ${ref.namespace}`,
      },
    );
  try {
    const { pod, atMs } = await getPod(api, ref, AbortSignal.timeout(explainTimeoutMs));
    const ageMs = atMs - Date.parse(pod.metadata.creationTimestamp ?? '');
    // both are whole seconds by the server's clock: only a clearly younger pod is another one
    if (ageMs < openMs - 2_000) return stalled('the pod was replaced by a new one');
    const state = stateOf(pod.status);
    return state === undefined ? undefined : stalled(`the pod ${state}`);
  } catch (error) {
    return error instanceof NodeopsError && error.code === 'no-such-pod' ? stalled('the pod is gone') : undefined;
  }
}
