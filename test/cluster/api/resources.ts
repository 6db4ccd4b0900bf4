/** The resources the server knows: one table that routing, discovery, storage and RBAC read. */

export interface Subresource {
  readonly kind: string;
  readonly group?: string;
  readonly version?: string;
  readonly verbs: readonly string[];
}

export interface Resource {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly kind: string;
  readonly singular: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly string[];
  readonly subresources: Readonly<Record<string, Subresource>>;
}

const all = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const change = ['get', 'patch', 'update'];

function row(group: string, version: string, resource: string, kind: string, more: Partial<Resource> = {}): Resource {
  return {
    group,
    version,
    resource,
    kind,
    singular: kind.toLowerCase(),
    namespaced: true,
    shortNames: [],
    categories: [],
    verbs: all,
    subresources: {},
    ...more,
  };
}

const status = (kind: string): Record<string, Subresource> => ({ status: { kind, verbs: change } });
const scale: Record<string, Subresource> = {
  scale: { kind: 'Scale', group: 'autoscaling', version: 'v1', verbs: change },
};
const review = { namespaced: false, verbs: ['create'] } as const;
const cluster = { namespaced: false } as const;
const everything = { categories: ['all'] } as const;
const stream = ['create', 'get'];
const proxy = ['create', 'delete', 'get', 'patch', 'update'];

const core = (resource: string, kind: string, more?: Partial<Resource>) => row('', 'v1', resource, kind, more);
const apps = (resource: string, kind: string, shortNames: string[], scaled: boolean) =>
  row('apps', 'v1', resource, kind, {
    shortNames,
    ...everything,
    subresources: { ...(scaled ? scale : {}), ...status(kind) },
  });
const rbac = (resource: string, kind: string, namespaced: boolean) =>
  row('rbac.authorization.k8s.io', 'v1', resource, kind, { namespaced });
const admission = (resource: string, kind: string) =>
  row('admissionregistration.k8s.io', 'v1', resource, kind, cluster);

export const resources: readonly Resource[] = [
  core('bindings', 'Binding', { verbs: ['create'] }),
  core('componentstatuses', 'ComponentStatus', { ...cluster, shortNames: ['cs'], verbs: ['get', 'list'] }),
  core('configmaps', 'ConfigMap', { shortNames: ['cm'] }),
  core('endpoints', 'Endpoints', { singular: 'endpoints', shortNames: ['ep'] }),
  core('events', 'Event', { shortNames: ['ev'] }),
  core('limitranges', 'LimitRange', { shortNames: ['limits'] }),
  core('namespaces', 'Namespace', {
    ...cluster,
    shortNames: ['ns'],
    verbs: all.filter((verb) => verb !== 'deletecollection'),
    subresources: { finalize: { kind: 'Namespace', verbs: ['update'] }, ...status('Namespace') },
  }),
  core('nodes', 'Node', {
    ...cluster,
    shortNames: ['no'],
    subresources: { proxy: { kind: 'NodeProxyOptions', verbs: proxy }, ...status('Node') },
  }),
  core('persistentvolumeclaims', 'PersistentVolumeClaim', {
    shortNames: ['pvc'],
    subresources: status('PersistentVolumeClaim'),
  }),
  core('persistentvolumes', 'PersistentVolume', {
    ...cluster,
    shortNames: ['pv'],
    subresources: status('PersistentVolume'),
  }),
  core('pods', 'Pod', {
    shortNames: ['po'],
    ...everything,
    subresources: {
      attach: { kind: 'PodAttachOptions', verbs: stream },
      binding: { kind: 'Binding', verbs: ['create'] },
      ephemeralcontainers: { kind: 'Pod', verbs: change },
      eviction: { kind: 'Eviction', group: 'policy', version: 'v1', verbs: ['create'] },
      exec: { kind: 'PodExecOptions', verbs: stream },
      log: { kind: 'Pod', verbs: ['get'] },
      portforward: { kind: 'PodPortForwardOptions', verbs: stream },
      proxy: { kind: 'PodProxyOptions', verbs: proxy },
      resize: { kind: 'Pod', verbs: change },
      ...status('Pod'),
    },
  }),
  core('podtemplates', 'PodTemplate'),
  core('replicationcontrollers', 'ReplicationController', {
    shortNames: ['rc'],
    ...everything,
    subresources: { ...scale, ...status('ReplicationController') },
  }),
  core('resourcequotas', 'ResourceQuota', { shortNames: ['quota'], subresources: status('ResourceQuota') }),
  core('secrets', 'Secret'),
  core('serviceaccounts', 'ServiceAccount', {
    shortNames: ['sa'],
    subresources: {
      token: { kind: 'TokenRequest', group: 'authentication.k8s.io', version: 'v1', verbs: ['create'] },
    },
  }),
  core('services', 'Service', {
    shortNames: ['svc'],
    ...everything,
    subresources: { proxy: { kind: 'ServiceProxyOptions', verbs: proxy }, ...status('Service') },
  }),
  apps('daemonsets', 'DaemonSet', ['ds'], false),
  apps('deployments', 'Deployment', ['deploy'], true),
  apps('replicasets', 'ReplicaSet', ['rs'], true),
  apps('statefulsets', 'StatefulSet', ['sts'], true),
  row('authentication.k8s.io', 'v1', 'selfsubjectreviews', 'SelfSubjectReview', review),
  row('authorization.k8s.io', 'v1', 'selfsubjectaccessreviews', 'SelfSubjectAccessReview', review),
  row('authorization.k8s.io', 'v1', 'selfsubjectrulesreviews', 'SelfSubjectRulesReview', review),
  row('authorization.k8s.io', 'v1', 'subjectaccessreviews', 'SubjectAccessReview', review),
  row('autoscaling', 'v2', 'horizontalpodautoscalers', 'HorizontalPodAutoscaler', {
    shortNames: ['hpa'],
    ...everything,
    subresources: status('HorizontalPodAutoscaler'),
  }),
  row('batch', 'v1', 'cronjobs', 'CronJob', {
    shortNames: ['cj'],
    ...everything,
    subresources: status('CronJob'),
  }),
  row('batch', 'v1', 'jobs', 'Job', { ...everything, subresources: status('Job') }),
  row('networking.k8s.io', 'v1', 'ingresses', 'Ingress', {
    singular: 'ingress',
    shortNames: ['ing'],
    subresources: status('Ingress'),
  }),
  row('networking.k8s.io', 'v1', 'networkpolicies', 'NetworkPolicy', { shortNames: ['netpol'] }),
  row('policy', 'v1', 'poddisruptionbudgets', 'PodDisruptionBudget', {
    shortNames: ['pdb'],
    subresources: status('PodDisruptionBudget'),
  }),
  rbac('clusterrolebindings', 'ClusterRoleBinding', false),
  rbac('clusterroles', 'ClusterRole', false),
  rbac('rolebindings', 'RoleBinding', true),
  rbac('roles', 'Role', true),
  admission('mutatingadmissionpolicies', 'MutatingAdmissionPolicy'),
  admission('mutatingadmissionpolicybindings', 'MutatingAdmissionPolicyBinding'),
  admission('mutatingwebhookconfigurations', 'MutatingWebhookConfiguration'),
  admission('validatingadmissionpolicies', 'ValidatingAdmissionPolicy'),
  admission('validatingadmissionpolicybindings', 'ValidatingAdmissionPolicyBinding'),
  admission('validatingwebhookconfigurations', 'ValidatingWebhookConfiguration'),
  row('coordination.k8s.io', 'v1', 'leases', 'Lease'),
];

const byKey = new Map(resources.map((r) => [`${r.group}/${r.version}/${r.resource}`, r]));
const byKind = new Map(resources.map((r) => [`${r.group}/${r.kind}`, r]));

export function findResource(group: string, version: string, resource: string): Resource | undefined {
  return byKey.get(`${group}/${version}/${resource}`);
}

export function findKind(apiVersion: string, kind: string): Resource | undefined {
  return byKind.get(`${apiVersion.includes('/') ? apiVersion.split('/')[0] : ''}/${kind}`);
}

/** A resource by its plural name alone, for code that knows which one it means. */
export function resourceNamed(resource: string): Resource {
  const found = resources.find((r) => r.resource === resource);
  if (!found) throw new Error(`no resource ${resource}`);
  return found;
}

export function apiVersionOf({ group, version }: { group: string; version: string }): string {
  return group ? `${group}/${version}` : version;
}

/** API groups other than the core one, in the order a real server lists them. */
export const groups = [
  'apps',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'autoscaling',
  'batch',
  'networking.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'admissionregistration.k8s.io',
  'coordination.k8s.io',
] as const;
