/** From a label or field selector, a workload or a namespace to the pods it stands for. */
import { NodeopsError } from '../../protocol/errors.ts';
import type { Endpoint, Target } from '../target.ts';
import type { KubeApi } from '../transport/kube/api.ts';
import { notRunning, type Pod, type PodRef, sidecarRuns } from '../transport/kube/pods.ts';
import { type PodTargetOptions, podTarget } from './pod.ts';

export interface PodQuery {
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** undefined: all namespaces */
  readonly namespace: string | undefined;
}

/** A namespace that could not be listed, for the end of the report. */
export interface Skipped {
  readonly namespace: string;
  readonly error: NodeopsError;
}

export interface FoundPods {
  readonly pods: readonly Pod[];
  readonly skipped: readonly Skipped[];
}

/** Pods by namespace and name. Where all namespaces may not be listed at once, each is tried, and refusals are reported. */
export async function findPods(api: KubeApi, query: PodQuery, signal: AbortSignal): Promise<FoundPods> {
  try {
    return { pods: await listPods(api, query, signal), skipped: [] };
  } catch (error) {
    if (query.namespace !== undefined || !(error instanceof NodeopsError) || error.code !== 'forbidden') throw error;
    return await eachNamespace(api, query, error, signal);
  }
}

async function listPods(
  api: KubeApi,
  { namespace, labelSelector, fieldSelector }: PodQuery,
  signal: AbortSignal,
): Promise<Pod[]> {
  const path = namespace === undefined ? '/api/v1/pods' : `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`;
  const rights = [{ verb: 'list', resource: 'pods', namespace }];
  const pods: Pod[] = [];
  try {
    for await (const pod of api.list<Pod>(path, { query: { labelSelector, fieldSelector }, signal, rights }))
      pods.push(pod);
  } catch (error) {
    throw badSelector(error, labelSelector, fieldSelector) ?? error;
  }
  return pods;
}

/** 400 to a list says that a selector makes no sense. */
function badSelector(error: unknown, labels: string | undefined, fields: string | undefined): NodeopsError | undefined {
  if (!(error instanceof NodeopsError) || error.detail?.status !== 400 || (!labels && !fields)) return undefined;
  const said = [...(labels ? [`-l '${labels}'`] : []), ...(fields ? [`--field-selector '${fields}'`] : [])].join(', ');
  return new NodeopsError('failed', `the API server does not understand ${said}: ${error.detail.said}`, {
    cause: error,
    hint: 'such as -l app=api,tier!=cache or --field-selector status.phase=Running',
  });
}

async function eachNamespace(
  api: KubeApi,
  query: PodQuery,
  refusal: NodeopsError,
  signal: AbortSignal,
): Promise<FoundPods> {
  const names: string[] = [];
  try {
    for await (const { metadata } of api.list<{ metadata: { name: string } }>('/api/v1/namespaces', { signal }))
      names.push(metadata.name);
  } catch {
    throw refusal;
  }
  const { fanOut } = await import('../client/fanout.ts');
  const outcomes = await fanOut(names, (namespace) => listPods(api, { ...query, namespace }, signal), {
    concurrency: 8,
  });
  if (outcomes.every(({ error }) => error)) throw refusal;
  return {
    pods: outcomes.flatMap(({ value }) => value ?? []),
    skipped: outcomes.flatMap(({ of, error }) => (error ? [{ namespace: of, error }] : [])),
  };
}

/**
 * The pods as targets, sorted by namespace and name. One that does not run yet is a target that fails with the reason; those
 * that have completed are left out, and those being deleted where there are others: in a rollout they end at any moment.
 */
export function podTargets(api: KubeApi, pods: readonly Pod[], options: Omit<PodTargetOptions, 'pod'>): Target[] {
  const running = pods.filter(({ status }) => status?.phase !== 'Succeeded' && status?.phase !== 'Failed');
  const staying = running.filter(({ metadata }) => !metadata.deletionTimestamp);
  return (staying.length > 0 ? staying : running)
    .map((pod) => ({
      pod,
      ref: { namespace: pod.metadata.namespace!, name: pod.metadata.name, node: pod.spec?.nodeName },
    }))
    .sort((a, b) => compare(a.ref, b.ref))
    .map(({ pod, ref }) => {
      const target = podTarget(api, { ...options, pod: ref });
      const error = sidecarRuns(pod) ? undefined : notRunning(api, ref, pod);
      return error ? failingOnce(target, error) : target;
    });
}

/** As it was when it was listed: whoever tries again (`top` does) finds out whether it runs by now. */
function failingOnce({ process, endpoint }: Target, error: NodeopsError): Target {
  let known: NodeopsError | undefined = error;
  const connect: Endpoint['connect'] = (signal) => {
    const said = known;
    known = undefined;
    return said ? Promise.reject(said) : endpoint.connect(signal);
  };
  return { process, endpoint: { ...endpoint, connect } };
}

function compare(a: PodRef, b: PodRef): number {
  return a.namespace.localeCompare(b.namespace) || a.name.localeCompare(b.name, 'en', { numeric: true });
}
