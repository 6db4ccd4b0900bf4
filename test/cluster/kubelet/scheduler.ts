import type { Json, KubeObject } from '../api/types.ts';
import { nodeName } from './podstatus.ts';

export const nodeLabels: Readonly<Record<string, string>> = {
  'beta.kubernetes.io/arch': 'amd64',
  'beta.kubernetes.io/os': 'linux',
  'kubernetes.io/arch': 'amd64',
  'kubernetes.io/hostname': nodeName,
  'kubernetes.io/os': 'linux',
};

export function matchesNode(pod: KubeObject): boolean {
  const selected = Object.entries(pod.spec.nodeSelector ?? {}).every(([key, value]) => nodeLabels[key] === value);
  const terms = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  return selected && (terms === undefined || terms.some(matchesTerm));
}

function matchesTerm({ matchExpressions = [] }: Json): boolean {
  return matchExpressions.every(({ key, operator, values = [] }: Json) => {
    const value = nodeLabels[key];
    if (operator === 'In') return values.includes(value);
    if (operator === 'NotIn') return !values.includes(value);
    return operator === 'Exists' ? value !== undefined : value === undefined;
  });
}

const gated = 'Scheduling is blocked due to non-empty scheduling gates';

/** Whether its last scheduling gate was taken away since it was looked at. */
export function isUngated({ spec, status }: KubeObject): boolean {
  return !spec.schedulingGates?.length && (status?.conditions ?? []).some(({ message }: Json) => message === gated);
}

/** Why the pod cannot be placed, in the scheduler's words. */
export function unschedulable(pod: KubeObject): string | undefined {
  if (pod.spec.schedulingGates?.length) return gated;
  if (matchesNode(pod)) return undefined;
  return "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.";
}
