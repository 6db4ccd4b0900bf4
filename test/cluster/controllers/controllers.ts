/** Starts every controller: each is a function that brings one object closer to its spec, called when something near it changed. */

import type { Objects } from '../api/objects.ts';
import { resourceNamed } from '../api/resources.ts';
import type { KubeObject } from '../api/types.ts';
import { reconcileDaemonSet } from './daemonsets.ts';
import { reconcileDeployment } from './deployments.ts';
import { collectGarbage, emptyNamespace } from './garbage.ts';
import { reconcileJob } from './jobs.ts';
import { reconcileReplicaSet } from './replicasets.ts';
import { reconcileStatefulSet } from './statefulsets.ts';

const reconcilers: Record<string, (objects: Objects, object: KubeObject) => void> = {
  deployments: reconcileDeployment,
  replicasets: reconcileReplicaSet,
  statefulsets: reconcileStatefulSet,
  daemonsets: reconcileDaemonSet,
  jobs: reconcileJob,
};

export function startControllers(objects: Objects): void {
  const dirty = new Map<string, { resource: string; namespace: string; name: string }>();
  let scheduled = false;
  const mark = (resource: string, namespace: string, name: string) => {
    dirty.set(`${resource}/${namespace}/${name}`, { resource, namespace, name });
    if (scheduled) return;
    scheduled = true;
    setImmediate(run);
  };
  const run = () => {
    scheduled = false;
    const batch = [...dirty.values()];
    dirty.clear();
    for (const { resource, namespace, name } of batch) {
      const object = objects.store.get(resourceNamed(resource), namespace, name);
      if (!object || object.metadata.deletionTimestamp) continue;
      try {
        reconcilers[resource]!(objects, object);
      } catch {
        // refused by admission (a quota, PodSecurity): a real controller tries again later
        setTimeout(() => mark(resource, namespace, name), 1000).unref();
      }
    }
  };
  const plural: Record<string, string> = {
    Deployment: 'deployments',
    ReplicaSet: 'replicasets',
    StatefulSet: 'statefulsets',
    DaemonSet: 'daemonsets',
    Job: 'jobs',
  };
  objects.store.onChange(({ type, resource, object }) => {
    const { namespace, name } = object.metadata;
    if (reconcilers[resource.resource] && type !== 'DELETED') mark(resource.resource, namespace, name);
    for (const owner of object.metadata.ownerReferences ?? []) {
      const owned = plural[owner.kind];
      if (owned && owner.controller) mark(owned, namespace, owner.name);
    }
    if (type === 'DELETED') setImmediate(() => collectGarbage(objects, object));
    setImmediate(() => emptyNamespace(objects, resource.resource === 'namespaces' ? name : namespace));
  });
}
