/** What a real API server refuses of pods and their like, in its words: without that, tests pass here and fail there. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Json } from './api/types.ts';
import { type Client, openClient } from './client.ts';
import { type Cluster, startCluster } from './cluster.ts';

const namespace = '/api/v1/namespaces/default';
let cluster: Cluster;
let admin: Client;

beforeAll(async () => {
  cluster = await startCluster();
  admin = openClient(cluster.kubeconfig);
});
afterAll(() => cluster?.stop());

const pod = (container: Json, spec: Json = {}) => ({
  metadata: { name: 'p' },
  spec: { containers: [{ name: 'app', image: 'nodeops.test/node:24', ...container }], ...spec },
});

async function refusal(method: string, path: string, body: Json, headers?: Record<string, string>): Promise<string> {
  const answer = await admin.request(method, path, body, headers);
  expect([answer.status, answer.body.message]).toEqual([422, expect.any(String)]);
  return answer.body.message;
}

describe('a pod is refused', () => {
  const volume = { name: 'v', emptyDir: {} };
  it.each<[string, Json, Json, string]>([
    [
      'with two volumes at one place',
      {
        volumeMounts: [
          { name: 'v', mountPath: '/a' },
          { name: 'v', mountPath: '/a' },
        ],
      },
      { volumes: [volume] },
      'spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/a": must be unique',
    ],
    ['with a volume twice', {}, { volumes: [volume, volume] }, 'spec.volumes[1].name: Duplicate value: "v"'],
    [
      'with a value from two places',
      { env: [{ name: 'A', value: 'x', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }] },
      {},
      'spec.containers[0].env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty',
    ],
    [
      'that asks for more than its limit',
      { resources: { requests: { memory: '2Gi' }, limits: { memory: '1Gi' } } },
      {},
      'spec.containers[0].resources.requests: Invalid value: "2Gi": must be less than or equal to memory limit of 1Gi',
    ],
    [
      'that shares its pids and has those of its node',
      {},
      { shareProcessNamespace: true, hostPID: true },
      'ShareProcessNamespace and HostPID cannot both be enabled',
    ],
    [
      'with a token too short for a kubelet to renew',
      {},
      {
        volumes: [
          { name: 't', projected: { sources: [{ serviceAccountToken: { path: 't', expirationSeconds: 60 } }] } },
        ],
      },
      'may not specify a duration less than 10 minutes',
    ],
    [
      'with a name that a label has no room for',
      { name: 'a'.repeat(64) },
      {},
      'spec.containers[0].name: Invalid value',
    ],
  ])('%s', async (_, container, spec, why) => {
    expect(await refusal('POST', `${namespace}/pods`, pod(container, spec))).toContain(why);
  });

  it('with an annotation that has no name, or with too many', async () => {
    const annotated = (annotations: Json) => ({ ...pod({}), metadata: { name: 'p', annotations } });
    const nameless = await refusal('POST', `${namespace}/pods`, annotated({ 'a/b/c': '' }));
    expect(nameless).toContain('metadata.annotations: Invalid value: "a/b/c"');
    const large = await refusal('POST', `${namespace}/pods`, annotated({ large: 'x'.repeat(256 * 1024) }));
    expect(large).toContain('metadata.annotations: Too long: may not be more than 262144 bytes');
  });
});

describe('an ephemeral container is refused', () => {
  it.each<[Json, string]>([
    [{ resources: { limits: { memory: '1Gi' } } }, 'resources: Forbidden: cannot be set for an Ephemeral Container'],
    [{ restartPolicy: 'Always' }, 'restartPolicy: Forbidden: cannot be set for an Ephemeral Container'],
    [
      { volumeMounts: [{ name: 'v', mountPath: '/a', subPath: 's' }] },
      'volumeMounts[0].subPath: Forbidden: cannot be set for an Ephemeral Container',
    ],
    [{ targetContainerName: 'nope' }, 'targetContainerName: Not found: "nope"'],
  ])('%j', async (more, why) => {
    const name = `e-${Math.random().toString(36).slice(2, 8)}`;
    const made = pod({}, { terminationGracePeriodSeconds: 0, volumes: [{ name: 'v', emptyDir: {} }] });
    await admin.create(`${namespace}/pods`, { ...made, metadata: { name } });
    const patch = { spec: { ephemeralContainers: [{ name: 'x', image: 'nodeops.test/node:24', ...more }] } };
    const said = await refusal('PATCH', `${namespace}/pods/${name}/ephemeralcontainers`, patch, {
      'content-type': 'application/strategic-merge-patch+json',
    });
    expect(said).toContain(`spec.ephemeralContainers[0].${why}`);
  });
});

describe('others are refused', () => {
  it('a ConfigMap over a mebibyte, and one with a key that is no file name', async () => {
    const made = (data: Json) => ({ metadata: { name: 'c' }, data });
    const path = `${namespace}/configmaps`;
    expect(await refusal('POST', path, made({ a: 'x'.repeat(1024 * 1024 + 1) }))).toContain(
      'Too long: may not be more than 1048576 bytes',
    );
    expect(await refusal('POST', path, made({ 'a/b': '' }))).toContain('a valid config key must consist of');
  });

  it('a token for less than ten minutes', async () => {
    const asked = { spec: { expirationSeconds: 60 } };
    expect(await refusal('POST', `${namespace}/serviceaccounts/default/token`, asked)).toContain(
      'spec.expirationSeconds: Invalid value: 60: may not specify a duration less than 10 minutes',
    );
  });

  it('another role for a binding, another name for the pods of a StatefulSet', async () => {
    const rbac = '/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings';
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' };
    await admin.create(rbac, { metadata: { name: 'b' }, roleRef });
    const merge = { 'content-type': 'application/merge-patch+json' };
    expect(await refusal('PATCH', `${rbac}/b`, { roleRef: { name: 'edit' } }, merge)).toContain(
      'cannot change roleRef',
    );
    const sets = '/apis/apps/v1/namespaces/default/statefulsets';
    const labels = { app: 's' };
    const { spec } = pod({});
    const template = { metadata: { labels }, spec };
    await admin.create(sets, {
      metadata: { name: 's' },
      spec: { replicas: 0, serviceName: 's', selector: { matchLabels: labels }, template },
    });
    expect(await refusal('PATCH', `${sets}/s`, { spec: { serviceName: 't' } }, merge)).toContain(
      'updates to statefulset spec for fields other than',
    );
  });
});
