/** `NODEOPS_CLUSTER_PACE=real`: what a real cluster does a little later is done a little later, in the same order. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Json } from './api/types.ts';
import { type Client, openClient } from './client.ts';
import { type Cluster, startCluster } from './cluster.ts';

const pods = '/api/v1/namespaces/default/pods';
let cluster: Cluster;
let admin: Client;

beforeAll(async () => {
  process.env.NODEOPS_CLUSTER_PACE = 'real';
  try {
    cluster = await startCluster();
  } finally {
    delete process.env.NODEOPS_CLUSTER_PACE;
  }
  admin = openClient(cluster.kubeconfig);
  await admin.until('/api/v1/namespaces/default/serviceaccounts/default', ({ metadata }) => metadata.name);
});
afterAll(() => cluster?.stop());

const pod = (name: string, container: Json = {}) => ({
  metadata: { name },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: [
      { name: 'app', image: 'nodeops.test/node:24', args: ['-e', 'setInterval(() => {}, 1000)'], ...container },
    ],
  },
});

it('a pod comes up in steps, and is gone some time after it was deleted', async () => {
  const { status } = await admin.create(pods, pod('a'));
  expect(status.phase).toBe('Pending');
  await admin.until(`${pods}/a`, (found) =>
    found.status.conditions?.some((c: Json) => c.type === 'Ready' && c.status === 'True'),
  );
  const watched = admin.lines(`${pods}?watch=1&timeoutSeconds=20&fieldSelector=metadata.name=a`);
  await admin.delete(`${pods}/a`);
  await admin.until(`${pods}/a`, ({ code }) => code === 404);
  const types = (await watched).map(({ type }) => type);
  expect(types[0]).toBe('ADDED');
  expect(types.indexOf('DELETED')).toBe(types.length - 1);
}, 90_000);

it('an image that must be asked for is not to be had', async () => {
  await admin.create(pods, pod('b', { imagePullPolicy: 'Always' }));
  const waiting = ({ status }: Json) => status.containerStatuses?.[0]?.state?.waiting?.reason;
  await admin.until(`${pods}/b`, (found) => /^(?:ErrImagePull|ImagePullBackOff)$/.test(waiting(found) ?? ''));
}, 60_000);

it('rights are had in the end, also by those who asked before', async () => {
  await admin.create('/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'reader' } });
  const { status } = await admin.create('/api/v1/namespaces/default/serviceaccounts/reader/token', {});
  const review = async () => {
    const spec = { resourceAttributes: { verb: 'list', resource: 'pods', namespace: 'default' } };
    const headers = { authorization: `Bearer ${status.token}` };
    const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
    return (await admin.request('POST', path, { spec }, headers)).body.status?.allowed;
  };
  await expect.poll(review, { timeout: 30_000 }).toBe(false);
  await admin.create('/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings', {
    metadata: { name: 'reader' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
    subjects: [{ kind: 'ServiceAccount', name: 'reader', namespace: 'default' }],
  });
  await expect.poll(review, { timeout: 30_000 }).toBe(true);
}, 90_000);
