/** Pods of a controller: made from its template, owned by it, counted. */
import { createHash, randomUUID } from 'node:crypto';
import type { AdmittedObjects } from '../api/admitted.ts';
import type { Objects } from '../api/objects.ts';
import { type Resource, resourceNamed } from '../api/resources.ts';
import type { Json, KubeObject, User } from '../api/types.ts';

export const pods = resourceNamed('pods');

export function ownerReference({ apiVersion, kind, metadata }: KubeObject): Json {
  return { apiVersion, kind, name: metadata.name, uid: metadata.uid, controller: true, blockOwnerDeletion: true };
}

export function ownedBy(objects: Objects, resource: Resource, owner: KubeObject): KubeObject[] {
  return objects.store
    .list(resource, owner.metadata.namespace)
    .filter(({ metadata }) =>
      metadata.ownerReferences?.some(({ uid, controller }: Json) => controller && uid === owner.metadata.uid),
    );
}

/** The accounts that a real cluster's controllers act as. */
const accounts: Record<string, string> = {
  ReplicaSet: 'replicaset-controller',
  StatefulSet: 'statefulset-controller',
  DaemonSet: 'daemon-set-controller',
  Job: 'job-controller',
};
const uids = new Map<string, string>();

function controllerOf(owner: KubeObject): User {
  const account = accounts[owner.kind]!;
  if (!uids.has(account)) uids.set(account, randomUUID());
  return {
    name: `system:serviceaccount:kube-system:${account}`,
    uid: uids.get(account)!,
    groups: ['system:serviceaccounts', 'system:serviceaccounts:kube-system', 'system:authenticated'],
    extra: { 'authentication.kubernetes.io/credential-id': [`JTI=${randomUUID()}`] },
  };
}

/** Makes a pod of its owner's template, by way of admission. Throws what it is refused with. */
export function createPod(
  objects: AdmittedObjects,
  owner: KubeObject,
  more: { name?: string; labels?: Json; spec?: Json } = {},
): Promise<KubeObject> {
  const { metadata, spec } = owner.spec.template;
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...(more.name ? { name: more.name } : { generateName: `${owner.metadata.name}-` }),
      labels: { ...metadata?.labels, ...more.labels },
      annotations: metadata?.annotations,
      ownerReferences: [ownerReference(owner)],
    },
    spec: { ...spec, ...more.spec },
  };
  return objects.admitAndCreate(pods, owner.metadata.namespace, pod, {
    user: controllerOf(owner),
    dryRun: false,
    options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' },
    warn: () => {},
  });
}

export function isReady({ status }: KubeObject): boolean {
  return status?.conditions?.some((c: Json) => c.type === 'Ready' && c.status === 'True') ?? false;
}

export function isOver({ status }: KubeObject): boolean {
  return ['Succeeded', 'Failed'].includes(status?.phase);
}

export function isGoing({ metadata }: KubeObject): boolean {
  return metadata.deletionTimestamp !== undefined;
}

/** Those to delete first: not ready before ready, then the youngest. */
export function byExpendability(a: KubeObject, b: KubeObject): number {
  return (
    Number(isReady(a)) - Number(isReady(b)) || (a.metadata.creationTimestamp < b.metadata.creationTimestamp ? 1 : -1)
  );
}

const safe = 'bcdfghjklmnpqrstvwxz2456789';

/** A short hash of a pod template, in the letters Kubernetes uses. Its value differs from the real one, its use does not. */
export function templateHash(template: Json): string {
  const digest = createHash('sha256').update(JSON.stringify(template)).digest();
  return [...digest.subarray(0, 10)].map((byte) => safe[byte % safe.length]).join('');
}

/** Writes the status if it changed. */
export function writeStatus(objects: Objects, resource: Resource, object: KubeObject, status: Json): void {
  const now = objects.store.get(resource, object.metadata.namespace, object.metadata.name);
  if (!now || now.metadata.uid !== object.metadata.uid || JSON.stringify(now.status) === JSON.stringify(status)) return;
  objects.store.put(resource, { ...now, status });
}

/** A condition that keeps its transition time while its status stays. */
export function condition(before: Json[] | undefined, next: Json, times: string[]): Json {
  const old = before?.find((c) => c.type === next.type);
  const now = `${new Date().toISOString().slice(0, 19)}Z`;
  const same = old?.status === next.status && old?.reason === next.reason;
  const stamps = Object.fromEntries(
    times.map((name) => [
      name,
      same ? old[name] : name === 'lastTransitionTime' && old?.status === next.status ? old[name] : now,
    ]),
  );
  const { type, status, ...why } = next;
  return { type, status, ...stamps, ...why };
}
