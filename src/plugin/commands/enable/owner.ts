/** From a pod to the workload whose template it was made from. */

import { type WorkloadResource, workloadResource, workloads } from '../../targets/workloads.ts';
import type { KubeApi } from '../../transport/kube/api.ts';

export interface Owned {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly {
      readonly kind: string;
      readonly name: string;
      readonly controller?: boolean;
    }[];
  };
}

/** `resource` is undefined for a kind that is not Kubernetes' own, such as Argo's Rollout. */
export interface Owner {
  readonly kind: string;
  readonly name: string;
  readonly resource: WorkloadResource | undefined;
}

/** The controller at the end of the chain; undefined for a bare pod. What may not be read ends the chain early. */
export async function ownerOf(
  api: KubeApi,
  namespace: string,
  object: Owned,
  signal: AbortSignal,
): Promise<Owner | undefined> {
  const direct = controllerOf(object);
  if (!direct || (direct.resource !== 'replicasets' && direct.resource !== 'jobs')) return direct;
  const { group } = workloads[direct.resource];
  const path = `/apis/${group}/v1/namespaces/${encodeURIComponent(namespace)}/${direct.resource}/${encodeURIComponent(direct.name)}`;
  const between = await api.get<Owned>(path, { signal }).catch(() => undefined);
  if (between) return controllerOf(between) ?? direct;
  // a Deployment names its replica sets after itself and the hash that their pods are labelled with
  const hash = object.metadata.labels?.['pod-template-hash'];
  if (direct.resource === 'replicasets' && hash !== undefined && direct.name.endsWith(`-${hash}`))
    return { kind: 'Deployment', name: direct.name.slice(0, -hash.length - 1), resource: 'deployments' };
  return direct;
}

function controllerOf({ metadata }: Owned): Owner | undefined {
  const owner = metadata.ownerReferences?.find(({ controller }) => controller);
  return owner && { kind: owner.kind, name: owner.name, resource: workloadResource(owner.kind) };
}

/** As it is typed: `deploy/web`, `statefulset/db`. */
export function typedOwner({ kind, name, resource }: Owner): string {
  return `${resource === 'deployments' ? 'deploy' : kind.toLowerCase()}/${name}`;
}
