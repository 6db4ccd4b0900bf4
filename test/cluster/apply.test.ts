/** Server-side apply and the decoding of fields, as helm and kubectl rely on them. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Json } from './api/types.ts';
import { type Answer, type Client, openClient } from './client.ts';
import { type Cluster, startCluster } from './cluster.ts';

const path = '/apis/apps/v1/namespaces/default/deployments/web';
let cluster: Cluster;
let admin: Client;

beforeAll(async () => {
  cluster = await startCluster();
  admin = openClient(cluster.kubeconfig);
});
afterAll(() => cluster?.stop());
beforeEach(() => admin.request('DELETE', path));

const container = (name: string, more: Json = {}) => ({ name, image: 'nodeops.test/node:24', ...more });

function deployment(containers: Json[], more: Json = {}): Json {
  const labels = { app: 'web' };
  const template = { metadata: { labels }, spec: { containers, terminationGracePeriodSeconds: 0 } };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', ...more.metadata },
    spec: { replicas: 0, selector: { matchLabels: labels }, template, ...more.spec },
  };
}

const apply = (manager: string, config: Json, query = ''): Promise<Answer> =>
  admin.request('PATCH', `${path}?fieldManager=${manager}${query}`, JSON.stringify(config), {
    'content-type': 'application/apply-patch+yaml',
  });

const containersOf = ({ body }: Answer): Json[] => body.spec.template.spec.containers;

describe('server-side apply', () => {
  it('creates what is not there, changes what is, and takes away what is applied no longer', async () => {
    const env = [
      { name: 'A', value: '1' },
      { name: 'B', value: '2' },
    ];
    const first = await apply(
      'm',
      deployment([container('app', { env }), container('side')], { metadata: { labels: { a: '1', b: '2' } } }),
    );
    expect(first.status).toBe(201);
    const second = await apply(
      'm',
      deployment([container('app', { env: env.slice(1) })], { metadata: { labels: { b: '3' } } }),
    );
    expect(second.status).toBe(200);
    expect(second.body.metadata).toMatchObject({ labels: { b: '3' }, uid: first.body.metadata.uid, generation: 2 });
    expect(containersOf(second).map(({ name, env: left }) => [name, left])).toEqual([
      ['app', [{ name: 'B', value: '2' }]],
    ]);
    const third = await apply(
      'm',
      deployment([container('app', { env: env.slice(1) })], { metadata: { labels: { b: '3' } } }),
    );
    expect(third.body).toMatchObject({ metadata: { generation: 2, labels: { b: '3' } }, spec: second.body.spec });
  });

  it('leaves what others have set, and refuses to change it unless forced', async () => {
    await apply('m', deployment([container('app')]));
    await admin.request(
      'PATCH',
      `${path}?fieldManager=kubectl-scale`,
      { spec: { replicas: 0, paused: true } },
      { 'content-type': 'application/merge-patch+json' },
    );
    await apply('other', {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', labels: { other: 'yes' } },
    });
    const again = await apply('m', deployment([container('app')]));
    expect(again.body).toMatchObject({ metadata: { labels: { other: 'yes' } }, spec: { paused: true } });
    const wanted = deployment([container('app')], { spec: { paused: false }, metadata: { labels: { other: 'no' } } });
    const refused = await apply('m', wanted);
    expect(refused.status).toBe(409);
    expect(refused.body.details.causes).toEqual([
      { reason: 'FieldManagerConflict', message: 'conflict with "other"', field: '.metadata.labels.other' },
      { reason: 'FieldManagerConflict', message: 'conflict with "kubectl-scale" using apps/v1', field: '.spec.paused' },
    ]);
    expect(refused.body.message).toContain(
      'Apply failed with 2 conflicts: conflict with "other": .metadata.labels.other',
    );
    expect((await apply('m', wanted, '&force=true')).body).toMatchObject({
      metadata: { labels: { other: 'no' } },
      spec: { paused: false },
    });
    expect((await apply('m', wanted)).status).toBe(200);
  });

  it('keeps an item of a list that another manager needs', async () => {
    await apply('m', deployment([container('app'), container('shared')]));
    const labels = { app: 'web' };
    const template = { metadata: { labels }, spec: { containers: [container('shared')] } };
    await apply('other', {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: { selector: { matchLabels: labels }, template },
    });
    expect(containersOf(await apply('m', deployment([container('app')]))).map(({ name }) => name)).toEqual([
      'app',
      'shared',
    ]);
  });

  it('puts new items where the configuration has them', async () => {
    await apply('m', deployment([container('b'), container('d')]));
    const names = ['a', 'b', 'c', 'd'];
    expect(
      containersOf(await apply('m', deployment(names.map((name) => container(name))))).map(({ name }) => name),
    ).toEqual(names);
  });

  it('wants a manager, a kind, the name of the path, and the right to create', async () => {
    expect(await apply('', deployment([container('app')]))).toMatchObject({
      status: 422,
      body: { message: expect.stringContaining('fieldManager: Required value') },
    });
    expect((await apply('m', { metadata: { name: 'web' } })).status).toBe(400);
    expect((await apply('m', { ...deployment([container('app')]), metadata: { name: 'other' } })).status).toBe(400);
    const rules = [{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['patch'] }];
    await admin.create('/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles', {
      metadata: { name: 'patcher' },
      rules,
    });
    await admin.create('/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings', {
      metadata: { name: 'patcher' },
      roleRef: { kind: 'Role', name: 'patcher' },
      subjects: [{ kind: 'User', name: 'patcher' }],
    });
    const patcher = openClient(await cluster.kubeconfigFor({ user: 'patcher' }));
    const type = { 'content-type': 'application/apply-patch+yaml' };
    const create = () =>
      patcher.request('PATCH', `${path}?fieldManager=m`, JSON.stringify(deployment([container('app')])), type);
    expect(await create()).toMatchObject({
      status: 403,
      body: { message: expect.stringContaining('cannot create resource "deployments"') },
    });
    await apply('m', deployment([container('app')]));
    expect((await create()).status).toBe(200);
  });
});

describe('fields', () => {
  const create = (object: Json, query = '') =>
    admin.request('POST', `/api/v1/namespaces/default/pods?dryRun=All${query}`, object);
  const pod = (spec: Json) => ({ metadata: { name: 'p' }, spec: { containers: [container('app', spec)] } });

  it('that a kind does not have are dropped, with a warning, an error, or in silence', async () => {
    const { status, headers, body } = await create(pod({ colour: 'red' }));
    expect({ status, warning: headers.warning }).toEqual({
      status: 201,
      warning: '299 - "unknown field \\"spec.containers[0].colour\\""',
    });
    expect(body.spec.containers[0]).not.toHaveProperty('colour');
    expect((await create(pod({ colour: 'red' }), '&fieldValidation=Ignore')).headers.warning).toBeUndefined();
    expect(await create(pod({ colour: 'red' }), '&fieldValidation=Strict')).toMatchObject({
      status: 400,
      body: {
        message:
          'Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.containers[0].colour"',
      },
    });
  });

  it('of a wrong type are refused', async () => {
    expect(await create(pod({ env: [{ name: 'A', value: 1 }] }))).toMatchObject({
      status: 400,
      body: {
        message:
          'Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal number into Go struct field EnvVar.spec.containers.env.value of type string',
      },
    });
  });
});
