/** The workload whose pod template is changed. */
import { NodeopsError } from '../../../protocol/errors.ts';
import { parseTarget } from '../../targets/parse.ts';
import { type WorkloadRef, type WorkloadResource, workloads } from '../../targets/workloads.ts';
import type { KubeApi } from '../../transport/kube/api.ts';
import { getPod } from '../../transport/kube/pods.ts';
import { flagsOf } from './connection.ts';
import { type Owned, ownerOf, typedOwner } from './owner.ts';

export interface Template {
  readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec?: {
    readonly containers?: readonly { readonly name: string }[];
    readonly initContainers?: readonly { readonly name: string }[];
  };
}
/** The parts of a workload that are read here. */
export interface Workload extends Owned {
  readonly metadata: Owned['metadata'] & { readonly generation?: number };
  readonly spec?: {
    readonly replicas?: number;
    readonly paused?: boolean;
    readonly template?: Template;
    readonly jobTemplate?: { readonly spec?: { readonly template?: Template } };
    readonly updateStrategy?: { readonly type?: string; readonly rollingUpdate?: { readonly partition?: number } };
    readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> };
  };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly readyReplicas?: number;
    readonly availableReplicas?: number;
    readonly currentRevision?: string;
    readonly updateRevision?: string;
    readonly desiredNumberScheduled?: number;
    readonly updatedNumberScheduled?: number;
    readonly numberAvailable?: number;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
    }[];
  };
}

/** Workloads whose template can be changed, and whether their pods are then replaced by themselves. */
const changeable: Partial<Record<WorkloadResource, { readonly rolls: boolean }>> = {
  deployments: { rolls: true },
  statefulsets: { rolls: true },
  daemonsets: { rolls: true },
  replicasets: { rolls: false },
  replicationcontrollers: { rolls: false },
  cronjobs: { rolls: false },
};

export function rolls({ resource }: WorkloadRef): boolean {
  return changeable[resource]?.rolls === true;
}

export function pathOf({ resource, name, namespace }: WorkloadRef): string {
  const { group } = workloads[resource];
  const root = group === '' ? '/api/v1' : `/apis/${group}/v1`;
  return `${root}/namespaces/${encodeURIComponent(namespace)}/${resource}/${encodeURIComponent(name)}`;
}

/** `deployment/api`, for messages. */
export function nameOf({ resource, name }: Pick<WorkloadRef, 'resource' | 'name'>): string {
  return `${workloads[resource].names[0]}/${name}`;
}

/** What was typed, if it is a workload. Throws `usage` for what is none or cannot be changed, before anything is asked. */
export function parseWorkload(
  text: string | undefined,
  more: readonly string[],
): Omit<WorkloadRef, 'namespace'> | { readonly pod: string } {
  const hint = 'name a workload: deploy/NAME, statefulset/NAME, daemonset/NAME';
  if (text === undefined || more.length > 0)
    throw new NodeopsError('usage', text === undefined ? 'no workload was given' : 'one workload at a time', { hint });
  const spec = parseTarget(text);
  if (spec.kind === 'pod') return { pod: spec.name };
  if (spec.kind !== 'workload') throw new NodeopsError('usage', `'${text}' is no workload`, { hint });
  const { resource, name } = spec;
  if (resource === 'jobs')
    throw new NodeopsError('usage', `${nameOf(spec)} cannot be changed: the pod template of a Job is immutable`, {
      hint: 'annotate the template of the CronJob or of whatever makes the Job, or ask its pods with --attach=exec',
    });
  if (!changeable[resource]) throw new NodeopsError('usage', `${nameOf(spec)} has no pod template`, { hint });
  return { resource, name };
}

/** Throws `nothing-matched` when there is none, `forbidden`, … */
export async function getWorkload(api: KubeApi, ref: WorkloadRef, signal: AbortSignal): Promise<Workload> {
  const rights = [
    { verb: 'get', resource: ref.resource, group: workloads[ref.resource].group, namespace: ref.namespace },
  ];
  return api.get<Workload>(pathOf(ref), { signal, rights }).catch((cause: unknown) => {
    throw missing(api, ref, cause);
  });
}

/** What is thrown for a workload that is not there; any other failure stays as it is. */
export function missing(api: KubeApi, ref: WorkloadRef, cause: unknown): unknown {
  if (!(cause instanceof NodeopsError) || cause.code !== 'nothing-matched') return cause;
  return new NodeopsError('nothing-matched', `there is no ${nameOf(ref)} in namespace '${ref.namespace}'`, {
    cause,
    hint: `${api.connection.kubectl} get ${ref.resource} -n ${ref.namespace}`,
  });
}

export function templateOf({ spec }: Workload): Template {
  return spec?.jobTemplate?.spec?.template ?? spec?.template ?? {};
}

/** Why a pod cannot be enabled, naming the workload that it belongs to. Throws always. */
export async function refusePod(api: KubeApi, name: string, command: string, signal: AbortSignal): Promise<never> {
  const { namespace } = api.connection;
  const { pod } = await getPod(api, { namespace, name }, signal);
  const owner = await ownerOf(api, namespace, pod, signal);
  const why = `pod '${name}' cannot be changed: the agent comes into a pod when it is created`;
  if (owner)
    throw new NodeopsError('usage', `${why}, from the template of ${typedOwner(owner)}`, {
      hint: owner.resource
        ? `${command} ${typedOwner(owner)} ${flagsOf(api.connection)}`
        : `annotate the pod template of ${typedOwner(owner)} with nodeops.dev/inject: "true"`,
    });
  throw new NodeopsError('usage', `${why}, and no workload made this one`, {
    hint: 'create it anew with the annotation nodeops.dev/inject: "true", or ask it as it is with --attach=exec',
  });
}
