/** Starts every controller: each is a function that brings one object closer to its spec, called when something near it changed. */

import type { AdmittedObjects } from '../api/admitted.ts';
import { resourceNamed } from '../api/resources.ts';
import type { KubeObject } from '../api/types.ts';
import { later } from '../pace.ts';
import { reconcileBudget } from './budgets.ts';
import { reconcileDaemonSet } from './daemonsets.ts';
import { reconcileDeployment } from './deployments.ts';
import { collectGarbage, emptyNamespace } from './garbage.ts';
import { reconcileJob } from './jobs.ts';
import { reconcileReplicaSet } from './replicasets.ts';
import { reconcileStatefulSet } from './statefulsets.ts';

const reconcilers: Record<string, (objects: AdmittedObjects, object: KubeObject) => void | Promise<void>> = {
  deployments: reconcileDeployment,
  replicasets: reconcileReplicaSet,
  statefulsets: reconcileStatefulSet,
  daemonsets: reconcileDaemonSet,
  jobs: reconcileJob,
  poddisruptionbudgets: reconcileBudget,
};

export function startControllers(objects: AdmittedObjects): void {
  const dirty = new Map<string, { resource: string; namespace: string; name: string }>();
  // admission may take seconds: never twice at once for the same object, and others go on meanwhile
  const busy = new Set<string>();
  let scheduled = false;
  const mark = (resource: string, namespace: string, name: string) => {
    dirty.set(`${resource}/${namespace}/${name}`, { resource, namespace, name });
    schedule();
  };
  const schedule = () => {
    if (scheduled) return;
    scheduled = true;
    later('controllers', () =>
      setImmediate(() => {
        scheduled = false;
        for (const [key, what] of dirty) {
          if (busy.has(key)) continue;
          dirty.delete(key);
          void reconcile(key, what);
        }
      }),
    );
  };
  const reconcile = async (
    key: string,
    { resource, namespace, name }: { resource: string; namespace: string; name: string },
  ) => {
    const object = objects.store.get(resourceNamed(resource), namespace, name);
    if (!object || object.metadata.deletionTimestamp) return;
    busy.add(key);
    try {
      await reconcilers[resource]!(objects, object);
    } catch {
      // refused by admission (a quota, PodSecurity): a real controller tries again later
      setTimeout(() => mark(resource, namespace, name), 1000).unref();
    }
    busy.delete(key);
    if (dirty.has(key)) schedule();
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
    if (resource.resource === 'pods')
      for (const budget of objects.store.list(resourceNamed('poddisruptionbudgets'), namespace))
        mark('poddisruptionbudgets', namespace, budget.metadata.name);
    if (type === 'DELETED') setImmediate(() => collectGarbage(objects, object));
    setImmediate(() => emptyNamespace(objects, resource.resource === 'namespaces' ? name : namespace));
  });
}
