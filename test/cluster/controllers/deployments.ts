/** Deployments: one ReplicaSet per template; on a change the new one grows while the old ones shrink. */
import type { Objects } from '../api/objects.ts';
import { resourceNamed } from '../api/resources.ts';
import type { Json, KubeObject } from '../api/types.ts';
import { condition, isGoing, ownedBy, ownerReference, pods, templateHash, writeStatus } from './owned.ts';

const deployments = resourceNamed('deployments');
const replicasets = resourceNamed('replicasets');
const annotation = (name: string) => `deployment.kubernetes.io/${name}`;

export function reconcileDeployment(objects: Objects, deployment: KubeObject): void {
  const { spec } = deployment;
  const hash = templateHash(spec.template);
  const sets = ownedBy(objects, replicasets, deployment);
  const revisionOf = (set: KubeObject) => Number(set.metadata.annotations?.[annotation('revision')] ?? 0);
  const newest = Math.max(0, ...sets.map(revisionOf));
  const surge = share(spec.strategy?.rollingUpdate?.maxSurge ?? 0, spec.replicas, Math.ceil);
  const unavailable = share(spec.strategy?.rollingUpdate?.maxUnavailable ?? 0, spec.replicas, Math.floor);
  let current = sets.find((set) => set.metadata.labels?.['pod-template-hash'] === hash);
  const old = sets.filter((set) => set !== current);
  const recreate = spec.strategy?.type === 'Recreate';
  const oldPods = old.flatMap((set) => ownedBy(objects, pods, set));
  const total = (list: KubeObject[]) => list.reduce((sum, set) => sum + set.spec.replicas, 0);
  const wanted = recreate
    ? oldPods.length
      ? 0
      : spec.replicas
    : Math.max(0, Math.min(spec.replicas, spec.replicas + surge - total(old)));
  const annotations = {
    [annotation('desired-replicas')]: String(spec.replicas),
    [annotation('max-replicas')]: String(spec.replicas + surge),
  };
  if (!current) {
    const labels = { ...spec.template.metadata?.labels, 'pod-template-hash': hash };
    current = objects.create(replicasets, deployment.metadata.namespace, {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: {
        name: `${deployment.metadata.name}-${hash}`,
        labels,
        annotations: { ...annotations, [annotation('revision')]: String(newest + 1) },
        ownerReferences: [ownerReference(deployment)],
      },
      spec: {
        replicas: wanted,
        selector: { ...spec.selector, matchLabels: { ...spec.selector.matchLabels, 'pod-template-hash': hash } },
        template: { ...spec.template, metadata: { ...spec.template.metadata, labels } },
      },
    });
  } else {
    const revision = revisionOf(current) < newest ? newest + 1 : revisionOf(current);
    current = resize(
      objects,
      current,
      Math.max(wanted, recreate ? 0 : Math.min(current.spec.replicas, spec.replicas)),
      { ...annotations, [annotation('revision')]: String(revision) },
    );
  }
  shrink(
    objects,
    old,
    recreate ? 0 : Math.max(0, spec.replicas - unavailable - (current.status?.availableReplicas ?? 0)),
  );
  writeRevision(objects, deployment, String(revisionOf(current)));
  writeStatus(objects, deployments, deployment, statusOf(objects, deployment, current, old, unavailable));
}

/** Old replicas are given up as far as new ones are available; those that never became ready first. */
function shrink(objects: Objects, old: KubeObject[], keep: number): void {
  let left = keep;
  for (const set of [...old].reverse()) {
    const ready = set.status?.readyReplicas ?? 0;
    const stay = Math.min(set.spec.replicas, Math.max(0, left), Math.max(ready, 0));
    left -= stay;
    if (set.spec.replicas !== stay) resize(objects, set, stay, {});
  }
}

function resize(objects: Objects, set: KubeObject, replicas: number, annotations: Json): KubeObject {
  const metadata = { ...set.metadata, annotations: { ...set.metadata.annotations, ...annotations } };
  return objects.update(replicasets, set, { ...set, metadata, spec: { ...set.spec, replicas } });
}

function writeRevision(objects: Objects, deployment: KubeObject, revision: string): void {
  const { namespace, name, annotations } = deployment.metadata;
  if (annotations?.[annotation('revision')] === revision) return;
  const now = objects.get(deployments, namespace, name);
  const metadata = {
    ...now.metadata,
    annotations: { [annotation('revision')]: revision, ...now.metadata.annotations },
  };
  metadata.annotations[annotation('revision')] = revision;
  objects.update(deployments, now, { ...now, metadata });
}

function share(value: number | string, replicas: number, round: (x: number) => number): number {
  return typeof value === 'number' ? value : round((Number.parseFloat(value) / 100) * replicas);
}

function statusOf(
  objects: Objects,
  deployment: KubeObject,
  current: KubeObject,
  old: KubeObject[],
  unavailable: number,
): Json {
  const sets = [current, ...old];
  const sum = (key: string) => sets.reduce((total, set) => total + (set.status?.[key] ?? 0), 0);
  const { replicas } = deployment.spec;
  const [updated, ready, available] = [current.status?.replicas ?? 0, sum('readyReplicas'), sum('availableReplicas')];
  const enough = available >= replicas - unavailable;
  const complete = updated === replicas && available === replicas && sum('replicas') === replicas;
  const before = deployment.status?.conditions;
  const both = ['lastUpdateTime', 'lastTransitionTime'];
  const terminating = sets.flatMap((set) => ownedBy(objects, pods, set)).filter(isGoing).length;
  return {
    observedGeneration: deployment.metadata.generation,
    ...(sum('replicas') ? { replicas: sum('replicas') } : {}),
    ...(updated ? { updatedReplicas: updated } : {}),
    ...(ready ? { readyReplicas: ready } : {}),
    ...(available ? { availableReplicas: available } : {}),
    ...(available < replicas ? { unavailableReplicas: replicas - available } : {}),
    terminatingReplicas: terminating,
    conditions: [
      condition(
        before,
        enough
          ? {
              type: 'Available',
              status: 'True',
              reason: 'MinimumReplicasAvailable',
              message: 'Deployment has minimum availability.',
            }
          : {
              type: 'Available',
              status: 'False',
              reason: 'MinimumReplicasUnavailable',
              message: 'Deployment does not have minimum availability.',
            },
        both,
      ),
      condition(
        before,
        complete
          ? {
              type: 'Progressing',
              status: 'True',
              reason: 'NewReplicaSetAvailable',
              message: `ReplicaSet "${current.metadata.name}" has successfully progressed.`,
            }
          : {
              type: 'Progressing',
              status: 'True',
              reason: 'ReplicaSetUpdated',
              message: `ReplicaSet "${current.metadata.name}" is progressing.`,
            },
        both,
      ),
    ],
  };
}
