/** What goes when something else went: owned objects, and the content of a namespace. */
import type { Objects } from '../api/objects.ts';
import { resourceNamed, resources } from '../api/resources.ts';
import type { Json, KubeObject } from '../api/types.ts';

const stored = resources.filter(({ verbs }) => verbs.includes('delete'));

export function collectGarbage(objects: Objects, owner: KubeObject): void {
  const { uid, namespace } = owner.metadata;
  for (const resource of stored)
    for (const object of objects.store.list(resource, resource.namespaced ? namespace : undefined)) {
      const owners: Json[] = object.metadata.ownerReferences ?? [];
      if (
        owners.some((reference) => reference.uid === uid) &&
        owners.every((reference) => reference.uid === uid) &&
        !object.metadata.deletionTimestamp
      )
        objects.delete(resource, object);
    }
}

/** Goes on with a namespace that is being deleted: its content, then itself. */
export function emptyNamespace(objects: Objects, name: string | undefined): void {
  if (!name) return;
  const namespaces = resourceNamed('namespaces');
  const namespace = objects.store.get(namespaces, undefined, name);
  if (!namespace?.metadata.deletionTimestamp) return;
  let left = 0;
  for (const resource of stored) {
    if (!resource.namespaced) continue;
    for (const object of objects.store.list(resource, name)) {
      if (!object.metadata.deletionTimestamp && objects.delete(resource, object)) left++;
      else if (object.metadata.deletionTimestamp) left++;
    }
  }
  if (left === 0) objects.store.remove(namespaces, undefined, name);
}
