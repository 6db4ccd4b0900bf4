/** A pod's status as the kubelet of Kubernetes 1.36 writes it, computed from what its containers do. */
import type { Json, KubeObject } from '../api/types.ts';
import type { Run } from './container.ts';
import type { ContainerLog } from './logs.ts';

export type SlotKind = 'init' | 'sidecar' | 'app' | 'ephemeral';

/** A container of a pod over all its runs. */
export interface Slot {
  readonly kind: SlotKind;
  readonly spec: Json;
  run: Run | undefined;
  /** containerd's id of the last run, 64 hex digits. */
  id: string | undefined;
  imageId: string;
  state: Json;
  lastState: Json;
  restartCount: number;
  ready: boolean;
  started: boolean;
  user: { uid: number; gid: number } | undefined;
  log: ContainerLog | undefined;
  previousLog: ContainerLog | undefined;
  /** Wait before the next restart, in ms. */
  backoffMs: number;
}

export function newSlot(kind: SlotKind, spec: Json, waiting: string): Slot {
  return {
    kind,
    spec,
    run: undefined,
    id: undefined,
    imageId: '',
    state: { waiting: { reason: waiting } },
    lastState: {},
    restartCount: 0,
    ready: false,
    started: false,
    user: undefined,
    log: undefined,
    previousLog: undefined,
    backoffMs: 0,
  };
}

/** RFC 3339 in whole seconds, as the API writes times. */
export function timestamp(date: Date = new Date()): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}

function containerStatus(slot: Slot): Json {
  const { spec, user } = slot;
  const requests = spec.resources?.requests;
  const mounts = (spec.volumeMounts ?? []).map((mount: Json) => ({
    name: mount.name,
    mountPath: mount.mountPath,
    ...(mount.readOnly ? { readOnly: true, recursiveReadOnly: 'Disabled' } : {}),
  }));
  return {
    name: spec.name,
    state: slot.state,
    lastState: slot.lastState,
    ready: slot.ready,
    restartCount: slot.restartCount,
    image: spec.image,
    imageID: slot.imageId,
    ...(slot.id ? { containerID: `containerd://${slot.id}` } : {}),
    ...(slot.kind === 'ephemeral' ? {} : { started: slot.started }),
    ...(requests ? { allocatedResources: requests } : {}),
    ...(slot.id ? { resources: spec.resources ?? {} } : {}),
    ...(mounts.length ? { volumeMounts: mounts } : {}),
    ...(user ? { user: { linux: { uid: user.uid, gid: user.gid, supplementalGroups: [user.gid] } } } : {}),
  };
}

export function qosClass(pod: KubeObject): string {
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  const limited = (c: Json) =>
    ['cpu', 'memory'].every((name) => {
      const limit = c.resources?.limits?.[name];
      return limit !== undefined && (c.resources.requests?.[name] ?? limit) === limit;
    });
  if (containers.every(limited)) return 'Guaranteed';
  const any = containers.some((c: Json) => c.resources?.limits || c.resources?.requests);
  return any ? 'Burstable' : 'BestEffort';
}

/** What the kubelet of 1.36 says about the pod as a whole; the figure for "no limit" is its own (math.MaxInt64 in Ki). */
function podResources(pod: KubeObject, slots: readonly Slot[]): Json {
  const declared = pod.spec.containers[0]?.resources;
  if (declared?.limits || declared?.requests)
    return {
      ...(declared.requests ? { allocatedResources: declared.requests } : {}),
      resources: declared,
    };
  // it says so from the second look at a pod on: when a container was added or has restarted
  const again = slots.some(({ kind, run, restartCount }) => (kind === 'ephemeral' && run) || restartCount > 0);
  return { resources: again ? { limits: { memory: '9007199254740988Ki' } } : {} };
}

export interface PodState {
  readonly phase: string;
  readonly reason?: string;
  readonly message?: string;
  readonly address: string | undefined;
  readonly startTime: string;
  readonly sandboxReady: boolean;
  readonly initialized: boolean;
  readonly slots: readonly Slot[];
}

export function podStatus(pod: KubeObject, state: PodState): Json {
  const observedGeneration = pod.metadata.generation;
  const before = new Map<string, Json>((pod.status?.conditions ?? []).map((c: Json) => [c.type, c]));
  const condition = (type: string, ok: boolean, why?: { reason: string; message?: string }): Json => {
    const status = ok ? 'True' : 'False';
    const previous = before.get(type);
    return {
      type,
      observedGeneration,
      status,
      lastProbeTime: null,
      lastTransitionTime: previous?.status === status ? previous.lastTransitionTime : timestamp(),
      ...(why ?? {}),
    };
  };
  const unready = state.slots.filter(({ kind, ready }) => (kind === 'app' || kind === 'sidecar') && !ready);
  const over = state.phase === 'Succeeded' || state.phase === 'Failed';
  const why =
    state.phase === 'Succeeded'
      ? { reason: 'PodCompleted' }
      : state.phase === 'Failed'
        ? { reason: 'PodFailed' }
        : {
            reason: 'ContainersNotReady',
            message: `containers with unready status: [${unready.map(({ spec }) => spec.name).join(' ')}]`,
          };
  const ready = unready.length === 0 && !over;
  const uninitialized = state.slots.filter((slot) => slot.kind === 'init' && slot.state.terminated?.exitCode !== 0);
  const pending = {
    reason: 'ContainersNotInitialized',
    message: `containers with incomplete status: [${uninitialized.map(({ spec }) => spec.name).join(' ')}]`,
  };
  const of = (...kinds: SlotKind[]) => state.slots.filter(({ kind }) => kinds.includes(kind)).map(containerStatus);
  const [init, app, ephemeral] = [of('init', 'sidecar'), of('app'), of('ephemeral')];
  const done = state.phase === 'Succeeded' ? { reason: 'PodCompleted' } : undefined;
  return {
    observedGeneration,
    phase: state.phase,
    conditions: [
      condition('PodReadyToStartContainers', state.sandboxReady),
      condition('Initialized', state.initialized, state.initialized ? done : pending),
      condition('Ready', ready, ready ? undefined : why),
      condition('ContainersReady', ready, ready ? undefined : why),
      condition('PodScheduled', true),
    ],
    ...(state.message ? { message: state.message } : {}),
    ...(state.reason ? { reason: state.reason } : {}),
    hostIP: nodeAddress,
    hostIPs: [{ ip: nodeAddress }],
    ...(state.address ? { podIP: state.address, podIPs: [{ ip: state.address }] } : {}),
    startTime: state.startTime,
    ...(init.length ? { initContainerStatuses: init } : {}),
    containerStatuses: app,
    qosClass: qosClass(pod),
    ...(ephemeral.length ? { ephemeralContainerStatuses: ephemeral } : {}),
    ...podResources(pod, state.slots),
  };
}

export const nodeName = 'node1';
export const nodeAddress = '10.88.0.1';
