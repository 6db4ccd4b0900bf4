import type { AdmittedObjects } from '../api/admitted.ts';
import { resourceNamed } from '../api/resources.ts';
import type { KubeObject } from '../api/types.ts';
import { byExpendability, createPod, isGoing, isOver, isReady, ownedBy, pods, writeStatus } from './owned.ts';

const replicasets = resourceNamed('replicasets');

export async function reconcileReplicaSet(objects: AdmittedObjects, set: KubeObject): Promise<void> {
  const all = ownedBy(objects, pods, set);
  const live = all.filter((pod) => !isOver(pod) && !isGoing(pod));
  for (let missing = set.spec.replicas - live.length; missing > 0; missing--) live.push(await createPod(objects, set));
  const excess = [...live].sort(byExpendability).slice(0, Math.max(0, live.length - set.spec.replicas));
  for (const pod of excess) objects.delete(pods, pod);
  const now = live.filter((pod) => !excess.includes(pod));
  const ready = now.filter(isReady).length;
  writeStatus(objects, replicasets, set, {
    replicas: now.length,
    ...(now.length ? { fullyLabeledReplicas: now.length } : {}),
    ...(ready ? { readyReplicas: ready, availableReplicas: ready } : {}),
    terminatingReplicas: all.filter((pod) => isGoing(pod)).length + excess.length,
    observedGeneration: set.metadata.generation,
  });
}
