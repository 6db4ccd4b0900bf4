/** RBAC: every request is checked against the Roles and ClusterRoles bound to its user. */
import { resourceNamed } from './resources.ts';
import type { Store } from './store.ts';
import type { Json, KubeObject, User } from './types.ts';

export interface Attributes {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string | undefined;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
}

const group = 'rbac.authorization.k8s.io';

function role(name: string, rules: Json[], labels: Json = {}): KubeObject {
  return {
    kind: 'ClusterRole',
    apiVersion: `${group}/v1`,
    metadata: { name, labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults', ...labels } },
    rules,
  };
}

function binding(name: string, subject: string): KubeObject {
  return {
    kind: 'ClusterRoleBinding',
    apiVersion: `${group}/v1`,
    metadata: { name, labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' } },
    subjects: [{ kind: 'Group', apiGroup: group, name: subject }],
    roleRef: { apiGroup: group, kind: 'ClusterRole', name },
  };
}

const read = ['get', 'list', 'watch'];
const write = ['create', 'delete', 'deletecollection', 'patch', 'update'];
const viewed = (verbs: string[]): Json[] => [
  {
    apiGroups: [''],
    resources: ['configmaps', 'endpoints', 'persistentvolumeclaims', 'pods', 'serviceaccounts', 'services'],
    verbs,
  },
  {
    apiGroups: ['apps'],
    resources: [
      'daemonsets',
      'deployments',
      'deployments/scale',
      'replicasets',
      'replicasets/scale',
      'statefulsets',
      'statefulsets/scale',
    ],
    verbs,
  },
  { apiGroups: ['batch'], resources: ['cronjobs', 'jobs'], verbs },
];
const view = [
  ...viewed(read),
  { apiGroups: [''], resources: ['events', 'namespaces', 'pods/log', 'pods/status', 'namespaces/status'], verbs: read },
];
const edit = [
  ...view,
  ...viewed(write),
  {
    apiGroups: [''],
    resources: ['pods/attach', 'pods/exec', 'pods/portforward', 'pods/proxy', 'secrets'],
    verbs: [...read, ...write],
  },
  { apiGroups: [''], resources: ['pods/eviction', 'serviceaccounts/token'], verbs: ['create'] },
];

/** ClusterRoles and bindings that every cluster has (those that users bind to). */
export const bootstrapRoles: readonly KubeObject[] = [
  role('cluster-admin', [
    { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
    { nonResourceURLs: ['*'], verbs: ['*'] },
  ]),
  role('admin', [...edit, { apiGroups: [group], resources: ['rolebindings', 'roles'], verbs: [...read, ...write] }]),
  role('edit', edit),
  role('view', view),
  role('system:basic-user', [
    {
      apiGroups: ['authorization.k8s.io'],
      resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'],
      verbs: ['create'],
    },
    { apiGroups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'], verbs: ['create'] },
  ]),
  role('system:discovery', [
    {
      nonResourceURLs: [
        '/api',
        '/api/*',
        '/apis',
        '/apis/*',
        '/healthz',
        '/livez',
        '/openapi',
        '/openapi/*',
        '/readyz',
        '/version',
        '/version/',
      ],
      verbs: ['get'],
    },
  ]),
];
export const bootstrapBindings: readonly KubeObject[] = [
  binding('cluster-admin', 'system:masters'),
  binding('system:basic-user', 'system:authenticated'),
  binding('system:discovery', 'system:authenticated'),
];

export class Authorizer {
  readonly #store: Store;
  constructor(store: Store) {
    this.#store = store;
  }

  /** Rules that apply to the user: cluster-wide ones, and those of the namespace if one is given. */
  rulesFor(user: User, namespace?: string): Json[] {
    const bound = this.#store.list(resourceNamed('clusterrolebindings')).filter((b) => names(b, user));
    const local = namespace
      ? this.#store.list(resourceNamed('rolebindings'), namespace).filter((b) => names(b, user))
      : [];
    return [...bound, ...local].flatMap(({ roleRef, metadata }) => {
      const resource = resourceNamed(roleRef.kind === 'ClusterRole' ? 'clusterroles' : 'roles');
      const found = this.#store.get(
        resource,
        roleRef.kind === 'ClusterRole' ? undefined : metadata.namespace,
        roleRef.name,
      );
      return found?.rules ?? [];
    });
  }

  allows(user: User, attributes: Attributes): boolean {
    if (user.groups.includes('system:masters')) return true;
    return this.rulesFor(user, attributes.namespace).some((rule) => grants(rule, attributes));
  }

  allowsPath(user: User, path: string, verb: string): boolean {
    if (user.groups.includes('system:masters')) return true;
    return this.rulesFor(user).some(
      ({ nonResourceURLs = [], verbs }: Json) =>
        includes(verbs, verb) &&
        nonResourceURLs.some((url: string) => url === path || (url.endsWith('*') && path.startsWith(url.slice(0, -1)))),
    );
  }
}

/** Why not, as a real server says it. */
export function refusal(user: User, { verb, group: apiGroup, resource, subresource, namespace }: Attributes): string {
  const what = subresource ? `${resource}/${subresource}` : resource;
  const where = namespace ? `in the namespace "${namespace}"` : 'at the cluster scope';
  return `User "${user.name}" cannot ${verb} resource "${what}" in API group "${apiGroup}" ${where}`;
}

function includes(list: string[] | undefined, value: string): boolean {
  return list !== undefined && (list.includes('*') || list.includes(value));
}

function grants({ apiGroups, resources, resourceNames, verbs }: Json, a: Attributes): boolean {
  const what = a.subresource ? `${a.resource}/${a.subresource}` : a.resource;
  const covers =
    includes(resources, what) || (a.subresource !== undefined && resources?.includes(`*/${a.subresource}`));
  const named = !resourceNames?.length || (a.name !== undefined && resourceNames.includes(a.name));
  return includes(verbs, a.verb) && includes(apiGroups, a.group) && covers && named;
}

function names({ subjects, metadata }: KubeObject, user: User): boolean {
  return (subjects ?? []).some(({ kind, name, namespace = metadata.namespace }: Json) => {
    if (kind === 'User') return name === user.name;
    if (kind === 'Group') return user.groups.includes(name);
    return user.name === `system:serviceaccount:${namespace}:${name}`;
  });
}
