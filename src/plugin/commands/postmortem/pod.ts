/** What the cluster knows of how a pod's containers ended. */
import { NodeopsError } from '../../../protocol/errors.ts';
import type { KubeApi } from '../../transport/kube/api.ts';
import { noSuchPod, type PodRef, podPath } from '../../transport/kube/pods.ts';

interface Terminated {
  readonly exitCode?: number;
  readonly signal?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly startedAt?: string;
  readonly finishedAt?: string;
}
interface State {
  readonly waiting?: { readonly reason?: string; readonly message?: string };
  readonly running?: { readonly startedAt?: string };
  readonly terminated?: Terminated;
}
/** The parts of a Pod that are read here. */
export interface EndedPod {
  readonly spec?: {
    readonly containers?: readonly {
      readonly name: string;
      readonly resources?: { readonly limits?: { readonly memory?: string } };
    }[];
  };
  readonly status?: {
    readonly phase?: string;
    readonly reason?: string;
    readonly message?: string;
    readonly containerStatuses?: readonly {
      readonly name: string;
      readonly restartCount?: number;
      readonly state?: State;
      readonly lastState?: State;
    }[];
  };
}

export interface ContainerEnd {
  readonly container: string;
  readonly restarts: number;
  /** Such as `running`, `CrashLoopBackOff`, `terminated`. */
  readonly now: string;
  readonly memoryLimit: string | null;
  /** How it ended last; null where it never did. */
  readonly last: {
    reason: string | null;
    exitCode: number;
    startedAt: string | null;
    finishedAt: string | null;
  } | null;
  readonly outOfMemory: boolean;
  /** One sentence; null where it never ended. */
  readonly verdict: string | null;
}

export interface PodEvent {
  readonly at: string | null;
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly count: number;
}

/** The containers of a pod, and how each ended last. */
export function containerEnds({ spec, status }: EndedPod): ContainerEnd[] {
  return (status?.containerStatuses ?? []).map(({ name, restartCount = 0, state, lastState }) => {
    const ended = state?.terminated ?? lastState?.terminated;
    const memoryLimit = spec?.containers?.find((one) => one.name === name)?.resources?.limits?.memory ?? null;
    const exitCode = ended?.exitCode ?? 0;
    return {
      container: name,
      restarts: restartCount,
      now: state?.waiting?.reason ?? (state?.running ? 'running' : state?.terminated ? 'terminated' : 'unknown'),
      memoryLimit,
      last: ended
        ? {
            reason: ended.reason ?? null,
            exitCode,
            startedAt: ended.startedAt ?? null,
            finishedAt: ended.finishedAt ?? null,
          }
        : null,
      outOfMemory: ended?.reason === 'OOMKilled',
      verdict: ended ? verdict(ended, memoryLimit) : null,
    };
  });
}

function verdict({ reason, exitCode = 0, signal }: Terminated, memoryLimit: string | null): string {
  if (reason === 'OOMKilled')
    return `the kernel killed it for memory: the container had used up its limit${memoryLimit ? ` of ${memoryLimit}` : ''}`;
  const by = signal ?? (exitCode > 128 ? exitCode - 128 : 0);
  switch (by) {
    case 0:
      break;
    case 6:
      return 'it aborted (SIGABRT): Node does so when the V8 heap is full, and native code on a failed assertion';
    case 5:
      return 'it trapped (SIGTRAP): V8 does so on a fatal error, such as a full heap';
    case 9:
      return 'it was killed (SIGKILL) and not for its memory limit: it did not end within its grace period, or the node ran out of memory';
    case 11:
      return 'native code crashed (SIGSEGV): an addon, or Node itself';
    case 15:
      return 'it was asked to end (SIGTERM), as on a rollout, a failed liveness probe or an eviction';
    default:
      return `signal ${by} ended it`;
  }
  if (exitCode === 0) return 'it ended by itself, with exit code 0';
  if (exitCode === 1) return 'it exited with code 1, as Node does after an exception that nobody caught';
  return `it exited with code ${exitCode}`;
}

/** Throws `no-such-pod`, `forbidden`, … */
export async function readPod(api: KubeApi, ref: PodRef, signal: AbortSignal): Promise<EndedPod> {
  try {
    return await api.get<EndedPod>(podPath(ref), { signal });
  } catch (error) {
    if (error instanceof NodeopsError && error.code === 'nothing-matched') throw noSuchPod(api, ref, error);
    throw error;
  }
}

interface EventObject {
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly count?: number;
  readonly lastTimestamp?: string | null;
  readonly eventTime?: string | null;
  readonly series?: { readonly count?: number; readonly lastObservedTime?: string };
}

const eventsShown = 20;

/** The newest events of a pod, oldest first. Throws what the API server says. */
export async function readEvents(api: KubeApi, { namespace, name }: PodRef, signal: AbortSignal): Promise<PodEvent[]> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/events`;
  const query = { fieldSelector: `involvedObject.name=${name},involvedObject.kind=Pod` };
  const events: PodEvent[] = [];
  for await (const event of api.list<EventObject>(path, { query, signal }))
    events.push({
      at: event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime ?? null,
      type: event.type ?? 'Normal',
      reason: event.reason ?? '',
      message: event.message ?? '',
      count: event.series?.count ?? event.count ?? 1,
    });
  return events.sort((one, other) => (one.at ?? '').localeCompare(other.at ?? '')).slice(-eventsShown);
}
