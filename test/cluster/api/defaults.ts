/** What the API server fills in when an object is created, and what admission adds to a pod. */
import { randomInt } from 'node:crypto';
import type { Json, KubeObject } from './types.ts';

const alphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** The end of a generated name, as Kubernetes draws it. */
export function randomSuffix(length = 5): string {
  return Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('');
}

function set(object: Json, key: string, value: Json): void {
  if (object[key] === undefined) object[key] = value;
}

/** `latest` and no tag are pulled always; a digest or another tag only if absent. */
function pullPolicy(image = ''): string {
  const tag = /:([^/@]+)$/.exec(image.split('@')[0]!)?.[1];
  return !image.includes('@') && (tag === undefined || tag === 'latest') ? 'Always' : 'IfNotPresent';
}

function defaultProbe(probe: Json): void {
  set(probe, 'timeoutSeconds', 1);
  set(probe, 'periodSeconds', 10);
  set(probe, 'successThreshold', 1);
  set(probe, 'failureThreshold', 3);
  if (probe.httpGet) {
    set(probe.httpGet, 'path', '/');
    set(probe.httpGet, 'scheme', 'HTTP');
  }
}

export function defaultContainer(container: Json): void {
  container.resources ??= {};
  const { limits } = container.resources;
  if (limits) container.resources.requests = { ...limits, ...container.resources.requests };
  set(container, 'terminationMessagePath', '/dev/termination-log');
  set(container, 'terminationMessagePolicy', 'File');
  set(container, 'imagePullPolicy', pullPolicy(container.image));
  for (const port of container.ports ?? []) set(port, 'protocol', 'TCP');
  for (const name of ['livenessProbe', 'readinessProbe', 'startupProbe'])
    if (container[name]) defaultProbe(container[name]);
  for (const { valueFrom } of container.env ?? []) if (valueFrom?.fieldRef) set(valueFrom.fieldRef, 'apiVersion', 'v1');
}

export function defaultPodSpec(spec: Json): void {
  for (const list of [spec.containers, spec.initContainers, spec.ephemeralContainers])
    for (const container of Array.isArray(list) ? list : []) defaultContainer(container);
  set(spec, 'restartPolicy', 'Always');
  set(spec, 'terminationGracePeriodSeconds', 30);
  set(spec, 'dnsPolicy', 'ClusterFirst');
  set(spec, 'securityContext', {});
  set(spec, 'schedulerName', 'default-scheduler');
  for (const volume of Array.isArray(spec.volumes) ? spec.volumes : []) defaultVolume(volume);
}

function defaultVolume(volume: Json): void {
  for (const kind of ['configMap', 'secret', 'projected', 'downwardAPI'])
    if (volume[kind]) set(volume[kind], 'defaultMode', 420);
  if (volume.image) set(volume.image, 'pullPolicy', pullPolicy(volume.image.reference));
  if (volume.hostPath) set(volume.hostPath, 'type', '');
  if (Object.keys(volume).length === 1) volume.emptyDir = {};
}

/** What admission adds: the service account and its token volume, tolerations, priority. */
export function admitPod(pod: KubeObject): void {
  const { spec } = pod;
  const account = spec.serviceAccountName ?? spec.serviceAccount ?? 'default';
  spec.serviceAccountName = account;
  spec.serviceAccount = account;
  if (spec.automountServiceAccountToken !== false) mountToken(spec);
  spec.tolerations ??= [];
  for (const key of ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'])
    if (!spec.tolerations.some((t: Json) => t.key === key))
      spec.tolerations.push({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 });
  set(spec, 'priority', 0);
  set(spec, 'enableServiceLinks', true);
  set(spec, 'preemptionPolicy', 'PreemptLowerPriority');
}

const tokenPath = '/var/run/secrets/kubernetes.io/serviceaccount';

function mountToken(spec: Json): void {
  // asked again after others have added containers: the volume is there then
  const known = spec.volumes?.find((volume: Json) => volume.name.startsWith('kube-api-access-'))?.name;
  const name = known ?? `kube-api-access-${randomSuffix()}`;
  let mounted = false;
  for (const container of [...(spec.initContainers ?? []), ...spec.containers]) {
    if (container.volumeMounts?.some((mount: Json) => mount.mountPath === tokenPath)) continue;
    container.volumeMounts = [...(container.volumeMounts ?? []), { name, readOnly: true, mountPath: tokenPath }];
    mounted = true;
  }
  if (!mounted || known) return;
  const item = (key: string) => ({ items: [{ key, path: key }] });
  const sources = [
    { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
    { configMap: { name: 'kube-root-ca.crt', ...item('ca.crt') } },
    {
      downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] },
    },
    { configMap: { name: 'openshift-service-ca.crt', ...item('service-ca.crt') } },
  ];
  spec.volumes = [...(spec.volumes ?? []), { name, projected: { sources, defaultMode: 420 } }];
}

const rolling = { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } };

const byKind: Record<string, (object: KubeObject) => void> = {
  Pod: ({ spec }) => {
    defaultPodSpec(spec);
  },
  Deployment: ({ spec }) => {
    set(spec, 'replicas', 1);
    spec.strategy = spec.strategy?.type === 'Recreate' ? spec.strategy : { ...rolling, ...spec.strategy };
    set(spec, 'revisionHistoryLimit', 10);
    set(spec, 'progressDeadlineSeconds', 600);
  },
  ReplicaSet: ({ spec }) => set(spec, 'replicas', 1),
  StatefulSet: ({ spec }) => {
    set(spec, 'replicas', 1);
    set(spec, 'podManagementPolicy', 'OrderedReady');
    set(spec, 'updateStrategy', { type: 'RollingUpdate', rollingUpdate: { partition: 0 } });
    set(spec, 'revisionHistoryLimit', 10);
    set(spec, 'persistentVolumeClaimRetentionPolicy', { whenDeleted: 'Retain', whenScaled: 'Retain' });
  },
  DaemonSet: ({ spec }) => {
    set(spec, 'updateStrategy', { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } });
    set(spec, 'revisionHistoryLimit', 10);
  },
  Job: ({ spec, metadata }) => {
    set(spec, 'parallelism', 1);
    set(spec, 'completions', 1);
    set(spec, 'backoffLimit', 6);
    set(spec, 'completionMode', 'NonIndexed');
    set(spec, 'suspend', false);
    set(spec, 'podReplacementPolicy', 'TerminatingOrFailed');
    // before admission there is no uid yet
    if (spec.manualSelector || !metadata.uid) return;
    set(spec, 'selector', { matchLabels: { 'batch.kubernetes.io/controller-uid': metadata.uid } });
    const labels = {
      'batch.kubernetes.io/controller-uid': metadata.uid,
      'batch.kubernetes.io/job-name': metadata.name,
      'controller-uid': metadata.uid,
      'job-name': metadata.name,
    };
    spec.template.metadata = { ...spec.template.metadata, labels: { ...spec.template.metadata?.labels, ...labels } };
  },
  Service: ({ spec, metadata }) => {
    set(spec, 'type', 'ClusterIP');
    for (const port of spec.ports ?? []) {
      set(port, 'protocol', 'TCP');
      set(port, 'targetPort', port.port);
    }
    set(spec, 'clusterIP', `10.96.${randomInt(1, 255)}.${randomInt(1, 255)}`);
    set(spec, 'clusterIPs', [spec.clusterIP]);
    set(spec, 'sessionAffinity', 'None');
    set(spec, 'ipFamilies', ['IPv4']);
    set(spec, 'ipFamilyPolicy', 'SingleStack');
    set(spec, 'internalTrafficPolicy', 'Cluster');
    void metadata;
  },
  Namespace: (object) => {
    object.spec ??= { finalizers: ['kubernetes'] };
    object.metadata.labels = { ...object.metadata.labels, 'kubernetes.io/metadata.name': object.metadata.name };
  },
  Secret: (object) => {
    set(object, 'type', 'Opaque');
    for (const [key, value] of Object.entries<string>(object.stringData ?? {}))
      object.data = { ...object.data, [key]: Buffer.from(value).toString('base64') };
    delete object.stringData;
  },
  RoleBinding: defaultSubjects,
  ClusterRoleBinding: defaultSubjects,
  MutatingWebhookConfiguration: defaultWebhooks,
  ValidatingWebhookConfiguration: defaultWebhooks,
  MutatingAdmissionPolicy: ({ spec }) => {
    set(spec, 'failurePolicy', 'Fail');
    if (spec.matchConstraints) defaultMatch(spec.matchConstraints, spec.matchConstraints.resourceRules);
  },
  MutatingAdmissionPolicyBinding: ({ spec }) => {
    if (spec.matchResources) defaultMatch(spec.matchResources, spec.matchResources.resourceRules);
  },
};

function defaultWebhooks(object: KubeObject): void {
  for (const webhook of object.webhooks ?? []) {
    set(webhook, 'failurePolicy', 'Fail');
    set(webhook, 'timeoutSeconds', 10);
    if (object.kind === 'MutatingWebhookConfiguration') set(webhook, 'reinvocationPolicy', 'Never');
    if (webhook.clientConfig?.service) set(webhook.clientConfig.service, 'port', 443);
    defaultMatch(webhook, webhook.rules);
  }
}

function defaultMatch(match: Json, rules: Json[] = []): void {
  set(match, 'matchPolicy', 'Equivalent');
  set(match, 'namespaceSelector', {});
  set(match, 'objectSelector', {});
  for (const rule of rules) set(rule, 'scope', '*');
}

function defaultSubjects(object: KubeObject): void {
  for (const subject of object.subjects ?? [])
    if (subject.kind !== 'ServiceAccount') set(subject, 'apiGroup', 'rbac.authorization.k8s.io');
  if (object.roleRef) set(object.roleRef, 'apiGroup', 'rbac.authorization.k8s.io');
}

/** The first status of an object that was created. */
export const firstStatus: Record<string, Json> = {
  Namespace: { phase: 'Active' },
  Service: { loadBalancer: {} },
  Deployment: {},
  ReplicaSet: { replicas: 0 },
  StatefulSet: { replicas: 0, availableReplicas: 0 },
  DaemonSet: { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 },
  Job: {},
};

/** Fills in defaults. Changes the object, which is the server's own copy. */
export function applyDefaults(object: KubeObject): void {
  byKind[object.kind]?.(object);
  if (object.spec?.template?.spec) defaultPodSpec(object.spec.template.spec);
  if (object.spec?.jobTemplate?.spec?.template?.spec) defaultPodSpec(object.spec.jobTemplate.spec.template.spec);
}
