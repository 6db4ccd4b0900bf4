/** StatefulSets: pods numbered from 0, made one after the other, replaced from the last. */
import type { AdmittedObjects } from '../api/admitted.ts';
import { resourceNamed } from '../api/resources.ts';
import type { KubeObject } from '../api/types.ts';
import { createPod, isGoing, isOver, isReady, ownedBy, pods, templateHash, writeStatus } from './owned.ts';

const statefulsets = resourceNamed('statefulsets');
const revisionLabel = 'controller-revision-hash';

export async function reconcileStatefulSet(objects: AdmittedObjects, set: KubeObject): Promise<void> {
  const { name } = set.metadata;
  const { replicas, podManagementPolicy } = set.spec;
  const revision = `${name}-${templateHash(set.spec.template)}`;
  const owned = ownedBy(objects, pods, set);
  const ordinal = (pod: KubeObject) => Number(/-(\d+)$/.exec(pod.metadata.name)?.[1]);
  const parallel = podManagementPolicy === 'Parallel';
  for (const pod of owned) if (isOver(pod) && !isGoing(pod)) objects.delete(pods, pod);
  for (let i = 0; i < replicas; i++) {
    const pod = owned.find((candidate) => ordinal(candidate) === i);
    if (!pod) {
      const podName = `${name}-${i}`;
      await createPod(objects, set, {
        name: podName,
        labels: {
          'apps.kubernetes.io/pod-index': String(i),
          [revisionLabel]: revision,
          'statefulset.kubernetes.io/pod-name': podName,
        },
        spec: { hostname: podName, ...(set.spec.serviceName ? { subdomain: set.spec.serviceName } : {}) },
      });
    }
    if (!parallel && !(pod && isReady(pod) && !isGoing(pod))) break;
  }
  const excess = owned
    .filter((pod) => ordinal(pod) >= replicas && !isGoing(pod))
    .sort((a, b) => ordinal(b) - ordinal(a));
  for (const pod of parallel ? excess : excess.slice(0, 1)) objects.delete(pods, pod);
  const stale = owned.filter((pod) => pod.metadata.labels?.[revisionLabel] !== revision && ordinal(pod) < replicas);
  const settled = owned.length === replicas && owned.every((pod) => isReady(pod) && !isGoing(pod));
  const next = stale.sort((a, b) => ordinal(b) - ordinal(a))[0];
  if (next && (settled || !isReady(next)) && !isGoing(next) && set.spec.updateStrategy?.type !== 'OnDelete')
    objects.delete(pods, next);
  const live = ownedBy(objects, pods, set).filter((pod) => !isGoing(pod));
  const ready = live.filter(isReady).length;
  const updated = live.filter((pod) => pod.metadata.labels?.[revisionLabel] === revision).length;
  writeStatus(objects, statefulsets, set, {
    observedGeneration: set.metadata.generation,
    replicas: live.length,
    ...(ready ? { readyReplicas: ready } : {}),
    ...(updated ? { currentReplicas: updated, updatedReplicas: updated } : {}),
    currentRevision: updated === replicas ? revision : (set.status?.currentRevision ?? revision),
    updateRevision: revision,
    collisionCount: 0,
    availableReplicas: ready,
  });
}
