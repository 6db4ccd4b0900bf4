/** Replays the recorded REST exchanges of a real Kubernetes 1.36 against the embedded cluster. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Json } from './api/types.ts';
import { type Client, openClient } from './client.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { normalized, recordedManifest, recordedPods, recordings } from './conformance.ts';

interface Exchange {
  readonly name: string;
  readonly request: { method: string; path: string; headers: Record<string, string> | null; body?: Json };
  readonly response: { status: number; headers: Record<string, string> | null; body?: Json; lines?: Json[] };
}

const exchanges = new Map(recordings<Exchange>('rest').map((exchange) => [exchange.name, exchange]));
let cluster: Cluster;
let admin: Client;
let nobody: Client;
let getOnly: Client;

const podsPath = '/api/v1/namespaces/default/pods';

beforeAll(async () => {
  cluster = await startCluster({ crashBackoffMs: 600 });
  admin = openClient(cluster.kubeconfig);
  for (const name of ['nobody', 'getonly'])
    await admin.create('/api/v1/namespaces/default/serviceaccounts', {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name },
    });
  const rbac = '/apis/rbac.authorization.k8s.io/v1/namespaces/default';
  await admin.create(`${rbac}/roles`, {
    metadata: { name: 'getonly' },
    rules: [{ apiGroups: [''], resources: ['pods', 'pods/portforward', 'pods/exec'], verbs: ['get', 'list'] }],
  });
  await admin.create(`${rbac}/rolebindings`, {
    metadata: { name: 'getonly' },
    roleRef: { kind: 'Role', name: 'getonly', apiGroup: 'rbac.authorization.k8s.io' },
    subjects: [{ kind: 'ServiceAccount', name: 'getonly', namespace: 'default' }],
  });
  nobody = await admin.asServiceAccount('default', 'nobody');
  getOnly = await admin.asServiceAccount('default', 'getonly');
  for (const pod of recordedPods()) await admin.create(podsPath, pod);
  await admin.create('/apis/apps/v1/namespaces/default/deployments', recordedManifest('deployment-get'));
  await admin.create('/api/v1/namespaces/default/services', recordedManifest('service-get'));
  await admin.until(`${podsPath}/done-0`, ({ status }) => status.phase === 'Succeeded');
  await admin.until(podsPath, ({ items }) => items.filter((pod: Json) => phase(pod) === 'Running').length === 5);
  await addDebugContainer();
});
afterAll(() => cluster?.stop());

const phase = ({ status }: Json) => {
  const ready = status?.conditions?.some((c: Json) => c.type === 'Ready' && c.status === 'True');
  return status?.phase === 'Running' && !ready ? 'Pending' : status?.phase;
};

/** The recorded api-0 had an ephemeral container. */
async function addDebugContainer(): Promise<void> {
  const { ephemeralContainers } = exchanges.get('pod-get')!.response.body.spec;
  await admin.patch(`${podsPath}/api-0/ephemeralcontainers`, { spec: { ephemeralContainers } });
  await admin.until(`${podsPath}/api-0`, ({ status }) => status.ephemeralContainerStatuses?.[0]?.state.running);
}

async function replay(name: string, client = admin) {
  const { request, response } = exchanges.get(name)!;
  const { authorization: _, ...headers } = request.headers ?? {};
  const answer = await client.request(request.method, request.path, request.body, headers);
  expect(answer.status).toBe(response.status);
  for (const header of ['content-type', 'cache-control'])
    if (response.headers) expect([header, answer.headers[header]]).toEqual([header, response.headers[header]]);
  if (response.headers) {
    const ids = (all: Record<string, unknown>) => ['audit-id', 'x-kubernetes-pf-flowschema-uid'].filter((h) => all[h]);
    if (name !== 'log-previous') expect(ids(answer.headers)).toEqual(ids(response.headers));
  }
  return { body: answer.body, recorded: response.body };
}

describe('byte for byte, but for what is drawn or measured', () => {
  it.each([
    'version',
    'pod-get',
    'pod-list-by-label',
    'pod-list-empty',
    'pod-list-bad-selector',
    'pod-not-found',
    'self-subject-access-review-allowed',
    'deployment-get',
    'service-get',
    'discovery-api',
  ])('%s', async (name) => {
    if (name === 'deployment-get')
      await admin.until(
        exchanges.get(name)!.request.path,
        ({ status }) => status.availableReplicas === 2 && status.conditions[1].reason === 'NewReplicaSetAvailable',
      );
    const { body, recorded } = await replay(name);
    expect(normalized(body)).toBe(normalized(recorded));
  });

  it.each(['forbidden-pod-list', 'self-subject-access-review-denied'])('%s', async (name) => {
    const { body, recorded } = await replay(name, nobody);
    expect(normalized(body)).toBe(normalized(recorded));
  });

  it('unauthorized and no-credentials', async () => {
    for (const [name, token] of [
      ['unauthorized', 'bad'],
      ['no-credentials', undefined],
    ] as const) {
      const { body, recorded } = await replay(name, admin.withToken(token));
      expect(normalized(body)).toBe(normalized(recorded));
    }
  });

  it('pod-list-as-table', async () => {
    const { body, recorded } = await replay('pod-list-as-table');
    const ageless = (table: Json) => {
      const rows = table.rows.map((row: Json) => ({
        ...row,
        cells: row.cells.map((cell: Json, i: number) => (i === 4 ? 'AGE' : cell)),
      }));
      // names of a ReplicaSet's pods are drawn, and with them their order among themselves
      return normalized({ ...table, rows });
    };
    expect(ageless(body)).toBe(ageless(recorded));
  });

  it('pod-watch', async () => {
    const { request, response } = exchanges.get('pod-watch')!;
    const lines = await admin.lines(request.path.replace('timeoutSeconds=2', 'timeoutSeconds=1'));
    expect(lines.map(normalized)).toEqual(response.lines!.map(normalized));
  });

  it('apis-group-list: the groups that are served, in the same order', async () => {
    const { body, recorded } = await replay('apis-group-list');
    const served = new Set(body.groups.map(({ name }: Json) => name));
    const expected = recorded.groups.filter(({ name }: Json) => served.has(name));
    // one version of autoscaling here
    const withoutV1 = expected.map((group: Json) =>
      group.name === 'autoscaling' ? { ...group, versions: group.versions.slice(0, 1) } : group,
    );
    expect(body.groups).toEqual(withoutV1);
    expect(served.size).toBeGreaterThanOrEqual(10);
  });
});

describe('ephemeral containers', () => {
  it('are added, run, and cannot be changed', async () => {
    const added = await replay('ephemeral-container-add');
    expect(normalized(added.body)).toBe(normalized(added.recorded));
    await admin.until(`${podsPath}/bb-0`, ({ status }) => status.ephemeralContainerStatuses?.[0]?.state.running);
    const running = await replay('ephemeral-container-running');
    expect(normalized(running.body)).toBe(normalized(running.recorded));
    const duplicate = await replay('ephemeral-container-duplicate-name');
    expect(normalized(duplicate.body)).toBe(normalized(duplicate.recorded));
  });

  it('are refused to who may only read', async () => {
    const { body, recorded } = await replay('ephemeral-container-forbidden', getOnly);
    expect(normalized(body)).toBe(normalized(recorded));
  });

  it('are refused where PodSecurity is restricted', async () => {
    await admin.create('/api/v1/namespaces', recordedManifest('namespace-restricted'));
    const namespace = await replay('namespace-restricted');
    expect(normalized(namespace.body)).toBe(normalized(namespace.recorded));
    // the pod was not recorded: what the refusal names says that pod-level runAsNonRoot and seccomp were set
    const restricted = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
    await admin.create('/api/v1/namespaces/locked/pods', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'ok-0', namespace: 'locked' },
      spec: {
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
        containers: [
          {
            name: 'app',
            image: 'docker.io/library/node-bb:22',
            args: ['-e', 'setInterval(()=>{},1e3)'],
            securityContext: restricted,
          },
        ],
      },
    });
    const { body, recorded } = await replay('ephemeral-container-violates-restricted');
    expect(normalized(body)).toBe(normalized(recorded));
  });
});

describe('pods that end, and what is written about them', () => {
  it('pod-native-sidecar-shared-pids', async () => {
    await admin.create(podsPath, recordedManifest('pod-native-sidecar-shared-pids'));
    await admin.until(`${podsPath}/shared-0`, (pod) => phase(pod) === 'Running');
    const { body, recorded } = await replay('pod-native-sidecar-shared-pids');
    expect(normalized(body)).toBe(normalized(recorded));
  });

  it('pod-crashloop and log-previous', async () => {
    await admin.create(podsPath, recordedManifest('pod-crashloop'));
    // recorded in the moment between an exit and the back-off
    const seen = await admin.until(
      `${podsPath}/crash-0`,
      ({ status }) =>
        status.containerStatuses?.[0].restartCount === 3 &&
        (status.containerStatuses[0].state.waiting ?? status.containerStatuses[0].state.terminated),
    );
    const { body: recorded } = exchanges.get('pod-crashloop')!.response;
    const ended = structuredClone(seen);
    const status = ended.status.containerStatuses[0];
    if (status.state.waiting) {
      expect(status.state.waiting.reason).toBe('CrashLoopBackOff');
      status.state = status.lastState;
    }
    expect(normalized(ended)).toBe(normalized(recorded));
    const log = await admin.request('GET', exchanges.get('log-previous')!.request.path);
    expect([log.status, log.headers['content-type']]).toEqual([200, 'text/plain']);
    // the real node had removed the log by then and said so; here it is still there
    expect(log.body).toContain('Error: boom');
  });

  it('pod-oomkilled and events-of-pod', async ({ skip }) => {
    skip(!cluster.memoryLimits, 'no control group can be made on this machine');
    await admin.create(podsPath, recordedManifest('pod-oomkilled'));
    await admin.until(
      `${podsPath}/oom-0`,
      ({ status }) => status.containerStatuses?.[0].restartCount === 3 && status.containerStatuses[0].state.waiting,
    );
    const { body, recorded } = await replay('pod-oomkilled');
    const backOff = (pod: Json) => normalized(pod).replace(/back-off [\w.]+ restarting/, 'back-off D restarting');
    expect(backOff(body)).toBe(backOff(recorded));
    const events = await replay('events-of-pod');
    const plain = ({ items }: Json) =>
      items
        .filter(({ reason }: Json) => reason !== 'MissingClusterDNS')
        .map((event: Json) => normalized({ ...event, ...(event.count ? { count: 'N' } : {}) }));
    expect(plain(events.body)).toEqual(plain(events.recorded));
  });

  it('replicasets-of-deployment: a changed template makes a second ReplicaSet and empties the first', async () => {
    const path = '/apis/apps/v1/namespaces/default/deployments/web';
    const annotations = { 'nodeops.dev/inject': 'false', rec: 'true' };
    await admin.patch(path, { spec: { template: { metadata: { annotations } } } });
    const recordedItems: Json[] = exchanges.get('replicasets-of-deployment')!.response.body.items;
    const settled = await admin.until(
      '/apis/apps/v1/namespaces/default/replicasets?labelSelector=app%3Dweb',
      ({ items }) =>
        items.length === 2 &&
        items.some((s: Json) => s.spec.replicas === 0 && s.status.replicas === 0 && !s.status.terminatingReplicas) &&
        items.some((s: Json) => s.status.availableReplicas === 2),
    );
    const byRevision = (items: Json[]) =>
      [...items]
        .sort((a, b) =>
          a.metadata.annotations['deployment.kubernetes.io/revision'] <
          b.metadata.annotations['deployment.kubernetes.io/revision']
            ? -1
            : 1,
        )
        // how many steps the roll-out took is a matter of timing
        .map((set) => normalized(set).replace(/"(generation|observedGeneration)":\d+/g, '"$1":N'));
    expect(byRevision(settled.items)).toEqual(byRevision(recordedItems));
  });
});

it('every recorded exchange is replayed above', () => {
  expect([...exchanges.keys()].sort()).toEqual(
    [
      'apis-group-list',
      'deployment-get',
      'discovery-api',
      'ephemeral-container-add',
      'ephemeral-container-duplicate-name',
      'ephemeral-container-forbidden',
      'ephemeral-container-running',
      'ephemeral-container-violates-restricted',
      'events-of-pod',
      'forbidden-pod-list',
      'log-previous',
      'namespace-restricted',
      'no-credentials',
      'pod-crashloop',
      'pod-get',
      'pod-list-as-table',
      'pod-list-bad-selector',
      'pod-list-by-label',
      'pod-list-empty',
      'pod-native-sidecar-shared-pids',
      'pod-not-found',
      'pod-oomkilled',
      'pod-watch',
      'replicasets-of-deployment',
      'self-subject-access-review-allowed',
      'self-subject-access-review-denied',
      'service-get',
      'unauthorized',
      'version',
    ].sort(),
  );
});
