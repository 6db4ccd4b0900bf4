/** From the name of a workload to the label selector of its pods, as kubectl's own commands find them. */
import { NodeopsError } from '../../protocol/errors.ts';
import type { KubeApi } from '../transport/kube/api.ts';

interface Workload {
  readonly group: string;
  /** Singular and short names that kubectl knows. */
  readonly names: readonly string[];
}

/** Resources that have pods; all are served as v1. */
export const workloads = {
  deployments: { group: 'apps', names: ['deployment', 'deploy'] },
  statefulsets: { group: 'apps', names: ['statefulset', 'sts'] },
  daemonsets: { group: 'apps', names: ['daemonset', 'ds'] },
  replicasets: { group: 'apps', names: ['replicaset', 'rs'] },
  replicationcontrollers: { group: '', names: ['replicationcontroller', 'rc'] },
  jobs: { group: 'batch', names: ['job'] },
  cronjobs: { group: 'batch', names: ['cronjob', 'cj'] },
  services: { group: '', names: ['service', 'svc'] },
} as const satisfies Record<string, Workload>;

export type WorkloadResource = keyof typeof workloads;

/** The resource that a word names (`deploy`, `Deployment`, `deployments.apps`), or undefined. */
export function workloadResource(word: string): WorkloadResource | undefined {
  const [plain] = word.toLowerCase().split('.');
  return (Object.keys(workloads) as WorkloadResource[]).find(
    (resource) => resource === plain || (workloads[resource].names as readonly string[]).includes(plain!),
  );
}

interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly { key: string; operator: string; values?: readonly string[] }[];
}
interface WorkloadObject {
  readonly spec?: { readonly selector?: LabelSelector | Readonly<Record<string, string>> };
}

/** Names one workload. */
export interface WorkloadRef {
  readonly resource: WorkloadResource;
  readonly name: string;
  readonly namespace: string;
}

/** The label selector of a workload's pods. Throws `nothing-matched` when there is no such workload, or it selects none. */
export async function selectorOf(api: KubeApi, ref: WorkloadRef, signal: AbortSignal): Promise<string> {
  const { resource, name, namespace } = ref;
  const said = `${resource.slice(0, -1)} '${name}' in namespace '${namespace}'`;
  const rights = [{ verb: 'get', resource, group: workloads[resource].group, namespace }];
  const path = `${collection(resource, namespace)}/${encodeURIComponent(name)}`;
  const object = await api.get<WorkloadObject>(path, { signal, rights }).catch((error: unknown) => {
    if (!(error instanceof NodeopsError) || error.code !== 'nothing-matched') throw error;
    const hint = `${api.connection.kubectl} -n ${namespace} get ${resource}`;
    throw new NodeopsError('nothing-matched', `there is no ${said}`, { cause: error, hint });
  });
  const selector =
    resource === 'cronjobs' ? await jobsOf(api, ref, signal) : selectorText(resource, object.spec?.selector ?? {});
  if (selector === '') {
    const why = resource === 'cronjobs' ? 'has no Job yet, or none any more' : 'selects no pods by labels';
    throw new NodeopsError('nothing-matched', `${said} ${why}`, {
      hint: `name a pod: ${api.connection.kubectl} -n ${namespace} get pods`,
    });
  }
  return selector;
}

function collection(resource: WorkloadResource, namespace: string): string {
  const { group } = workloads[resource];
  const root = group === '' ? '/api/v1' : `/apis/${group}/v1`;
  return `${root}/namespaces/${encodeURIComponent(namespace)}/${resource}`;
}

interface Owned {
  readonly metadata: { readonly name: string; readonly ownerReferences?: readonly { kind: string; name: string }[] };
}

/** A CronJob selects nothing itself: its pods are those of the Jobs it made. */
async function jobsOf(api: KubeApi, { name, namespace }: WorkloadRef, signal: AbortSignal): Promise<string> {
  const jobs: string[] = [];
  const rights = [{ verb: 'list', resource: 'jobs', group: 'batch', namespace }];
  for await (const { metadata } of api.list<Owned>(collection('jobs', namespace), { signal, rights }))
    if (metadata.ownerReferences?.some((owner) => owner.kind === 'CronJob' && owner.name === name))
      jobs.push(metadata.name);
  return jobs.length === 0 ? '' : `batch.kubernetes.io/job-name in (${jobs.join(',')})`;
}

function selectorText(resource: WorkloadResource, selector: LabelSelector | Readonly<Record<string, string>>): string {
  // services and replication controllers have a plain map of labels
  const plain = resource === 'services' || resource === 'replicationcontrollers';
  const { matchLabels = {}, matchExpressions = [] } = (plain ? { matchLabels: selector } : selector) as LabelSelector;
  return [
    ...Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`),
    ...matchExpressions.map(expressionText),
  ].join(',');
}

function expressionText({
  key,
  operator,
  values = [],
}: {
  key: string;
  operator: string;
  values?: readonly string[];
}): string {
  switch (operator) {
    case 'In':
      return `${key} in (${values.join(',')})`;
    case 'NotIn':
      return `${key} notin (${values.join(',')})`;
    case 'DoesNotExist':
      return `!${key}`;
    default:
      return key;
  }
}
