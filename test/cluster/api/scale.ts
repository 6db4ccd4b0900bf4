/** The scale subresource of workloads, as `kubectl scale` uses it. */
import { selectorRequirements } from './selectors.ts';
import { badRequest } from './status.ts';
import type { Json, KubeObject } from './types.ts';

export function scaleOf({ metadata, spec, status }: KubeObject): Json {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata;
  const selector = selectorRequirements(spec.selector)
    .map(({ key, values }) => `${key}=${values[0]}`)
    .join(',');
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: spec.replicas },
    status: { replicas: status?.replicas ?? 0, selector },
  };
}

/** The workload with the replicas of a Scale. */
export function withScale(object: KubeObject, scale: Json): KubeObject {
  const replicas = scale?.spec?.replicas ?? 0;
  if (!Number.isInteger(replicas) || replicas < 0) throw badRequest('spec.replicas must be a whole number from 0');
  return { ...object, spec: { ...object.spec, replicas } };
}
