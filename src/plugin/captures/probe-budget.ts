/** What the pod's liveness probe leaves for a process that stands still, so that the agent can refuse a snapshot that kills it. */

import type { TargetName } from '../render/target-name.ts';
import type { KubeApi } from '../transport/kube/api.ts';
import { getPod } from '../transport/kube/pods.ts';

export interface Probe {
  readonly periodSeconds?: number;
  readonly timeoutSeconds?: number;
  readonly failureThreshold?: number;
}
interface Container {
  readonly name: string;
  readonly livenessProbe?: Probe;
}

/** Milliseconds until the kubelet kills a container whose pause begins just before a probe; defaults are Kubernetes'. */
export function budgetOf({ periodSeconds = 10, timeoutSeconds = 1, failureThreshold = 3 }: Probe): number {
  return ((failureThreshold - 1) * periodSeconds + timeoutSeconds) * 1000;
}

/** The budget of the process's container, or the smallest of the pod where that is not known; undefined without a probe. */
export async function probeBudget(api: KubeApi, name: TargetName, signal: AbortSignal): Promise<number | undefined> {
  if (name.pod === null || name.namespace === null) return undefined;
  const { pod } = await getPod(api, { namespace: name.namespace, name: name.pod }, signal);
  const { containers = [], initContainers = [] } = pod.spec ?? {};
  const probes = ([...containers, ...initContainers] as Container[])
    .filter((container) => name.container === null || container.name === name.container)
    .flatMap(({ livenessProbe }) => (livenessProbe ? [livenessProbe] : []));
  return probes.length === 0 ? undefined : Math.min(...probes.map(budgetOf));
}
