/** As much of an API server as helm's `lookup` needs: discovery of the chart's kinds, and the one Secret that is given. */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Manifest } from './helm.ts';

const kinds: Record<string, readonly string[]> = {
  v1: ['Secret', 'ConfigMap', 'Service', 'ServiceAccount', 'Pod', 'Namespace'],
  'apps/v1': ['Deployment'],
  'policy/v1': ['PodDisruptionBudget'],
  'networking.k8s.io/v1': ['NetworkPolicy'],
  'rbac.authorization.k8s.io/v1': ['ClusterRole'],
  'admissionregistration.k8s.io/v1': ['MutatingWebhookConfiguration'],
};
const clusterScoped = ['Namespace', 'ClusterRole', 'MutatingWebhookConfiguration'];
const plural = (kind: string) => kind.toLowerCase().replace(/y$/, 'ie') + 's';

export interface LookupServer {
  /** What a GET of the Secret answers; undefined for not found. */
  secret: Manifest | undefined;
  readonly asked: string[];
  close(): Promise<void>;
}

/** Starts it on loopback and writes a kubeconfig that leads there. */
export async function startLookupServer(kubeconfig: string): Promise<LookupServer> {
  const state = { secret: undefined as Manifest | undefined, asked: [] as string[] };
  const server = createServer((request, response) => {
    const path = request.url!.split('?', 1)[0]!;
    state.asked.push(`${request.method} ${path}`);
    const body = discovery(path) ?? (path === secretPath(state.secret) ? state.secret : undefined);
    response.writeHead(body ? 200 : 404, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify(
        body ?? {
          kind: 'Status',
          apiVersion: 'v1',
          status: 'Failure',
          reason: 'NotFound',
          code: 404,
          message: 'not found',
        },
      ),
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await writeFile(
    kubeconfig,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'test',
      clusters: [{ name: 'test', cluster: { server: `http://127.0.0.1:${port}` } }],
      users: [{ name: 'test', user: {} }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    }),
  );
  return Object.assign(state, {
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  });
}

function secretPath(secret: Manifest | undefined): string | undefined {
  return secret && `/api/v1/namespaces/${secret.metadata.namespace}/secrets/${secret.metadata.name}`;
}

function discovery(path: string): object | undefined {
  if (path === '/version') return { major: '1', minor: '33', gitVersion: 'v1.33.6' };
  if (path === '/api') return { kind: 'APIVersions', versions: ['v1'] };
  if (path === '/apis') {
    const groups = Object.keys(kinds)
      .filter((version) => version.includes('/'))
      .map((groupVersion) => {
        const [name, version] = groupVersion.split('/');
        return { name, versions: [{ groupVersion, version }], preferredVersion: { groupVersion, version } };
      });
    return { kind: 'APIGroupList', apiVersion: 'v1', groups };
  }
  const groupVersion = path.replace(/^\/apis?\//, '');
  const resources = kinds[groupVersion]?.map((kind) => ({
    name: plural(kind),
    singularName: kind.toLowerCase(),
    namespaced: !clusterScoped.includes(kind),
    kind,
    verbs: ['get', 'list', 'create', 'patch', 'delete'],
  }));
  return resources && { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources };
}
