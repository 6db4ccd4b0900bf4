/** DaemonSets: one pod on the one node, replaced when the template changes. */
import type { AdmittedObjects } from '../api/admitted.ts';
import { resourceNamed } from '../api/resources.ts';
import type { KubeObject } from '../api/types.ts';
import { matchesNode } from '../kubelet/scheduler.ts';
import { createPod, isGoing, isOver, isReady, ownedBy, pods, templateHash, writeStatus } from './owned.ts';

const daemonsets = resourceNamed('daemonsets');
const revisionLabel = 'controller-revision-hash';

export async function reconcileDaemonSet(objects: AdmittedObjects, set: KubeObject): Promise<void> {
  const revision = templateHash(set.spec.template);
  const owned = ownedBy(objects, pods, set);
  const wanted = matchesNode({ ...set, spec: set.spec.template.spec }) ? 1 : 0;
  const isUnwanted = (pod: KubeObject) =>
    isOver(pod) || pod.metadata.labels?.[revisionLabel] !== revision || wanted === 0;
  for (const pod of owned) if (!isGoing(pod) && isUnwanted(pod)) objects.delete(pods, pod);
  if (wanted && owned.length === 0)
    await createPod(objects, set, {
      labels: { [revisionLabel]: revision, 'pod-template-generation': String(set.metadata.generation) },
    });
  const live = ownedBy(objects, pods, set).filter((pod) => !isGoing(pod));
  const ready = live.filter(isReady).length;
  writeStatus(objects, daemonsets, set, {
    currentNumberScheduled: live.length,
    numberMisscheduled: 0,
    desiredNumberScheduled: wanted,
    numberReady: ready,
    observedGeneration: set.metadata.generation,
    ...(live.length ? { updatedNumberScheduled: live.length } : {}),
    ...(ready ? { numberAvailable: ready } : {}),
    ...(wanted > ready ? { numberUnavailable: wanted - ready } : {}),
  });
}
