/** Mutating admission: what policies and webhooks are asked, what their answers do, and what the server says of bad ones. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CertificateAuthority } from './api/certificates.ts';
import type { Json } from './api/types.ts';
import { type Answer, type Client, openClient } from './client.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { normalized, recordings } from './conformance.ts';

const base = '/apis/admissionregistration.k8s.io/v1';
const pods = '/api/v1/namespaces/default/pods';
const authority = new CertificateAuthority();
let cluster: Cluster;
let admin: Client;
let server: Server;
let url: string;
/** Requests that the webhook got, and how it answers: `response` without its uid, or anything else as it is. */
let asked: { path: string; headers: Json; body: Json }[] = [];
let answer: (request: Json) => Json = () => ({ allowed: true });

beforeAll(async () => {
  const { certificate, key } = authority.issue({ commonName: 'webhook', hosts: ['127.0.0.1'] });
  server = createServer({ cert: certificate, key }, async (request, response) => {
    let text = '';
    for await (const part of request.setEncoding('utf8')) text += part;
    const body = JSON.parse(text);
    asked.push({ path: request.url!, headers: request.headers, body });
    const { uid } = body.request;
    const said = await answer(body.request);
    if (said === undefined) return;
    response.end(
      JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: { uid, ...said } }),
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/mutate-pods`;
  cluster = await startCluster();
  admin = openClient(cluster.kubeconfig);
});
afterAll(async () => {
  await cluster?.stop();
  server.closeAllConnections();
  server.close();
});
afterEach(async () => {
  asked = [];
  answer = () => ({ allowed: true });
  for (const kind of ['mutatingwebhookconfigurations', 'mutatingadmissionpolicies', 'mutatingadmissionpolicybindings'])
    await admin.delete(`${base}/${kind}`);
});

const rule = { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] };

function webhook(more: Json = {}): Promise<Json> {
  const { clientConfig = { url, caBundle: Buffer.from(authority.certificate).toString('base64') }, ...rest } = more;
  return admin.create(`${base}/mutatingwebhookconfigurations`, {
    metadata: { name: 'hook' },
    webhooks: [
      {
        name: 'a.hook.test',
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        rules: [rule],
        clientConfig,
        ...rest,
      },
    ],
  });
}

async function policy(name: string, mutations: Json[], more: Json = {}, binding: Json = {}): Promise<void> {
  const spec = { matchConstraints: { resourceRules: [rule] }, reinvocationPolicy: 'Never', mutations, ...more };
  await admin.create(`${base}/mutatingadmissionpolicies`, { metadata: { name }, spec });
  const bound = { metadata: { name }, spec: { policyName: name, ...binding } };
  await admin.create(`${base}/mutatingadmissionpolicybindings`, bound);
}

const jsonPatch = (expression: string) => ({ patchType: 'JSONPatch', jsonPatch: { expression } });
const apply = (expression: string) => ({ patchType: 'ApplyConfiguration', applyConfiguration: { expression } });
const annotate = (key: string, value: string) =>
  apply(`Object{metadata: Object.metadata{annotations: {"${key}": ${value}}}}`);

const pod = (metadata: Json = {}, spec: Json = {}): Json => ({
  metadata: { name: 'one', ...metadata },
  spec: { containers: [{ name: 'app', image: 'nodeops.test/node:24' }], ...spec },
});

const tryOut = (object: Json, query = ''): Promise<Answer> =>
  admin.request('POST', `${pods}?dryRun=All${query}`, object);

async function made(object: Json): Promise<Json> {
  const { status, body } = await tryOut(object);
  expect({ status, message: body.message }).toEqual({ status: 201, message: undefined });
  return body;
}

const patchOf = (operations: Json[]) => ({
  allowed: true,
  patchType: 'JSONPatch',
  patch: Buffer.from(JSON.stringify(operations)).toString('base64'),
});

describe('the request to a webhook', () => {
  const [run, ofReplicaSet] = recordings('admission-review');
  const shown = ({ headers: { 'user-agent': agent, accept, 'content-type': type }, ...rest }: Json) =>
    normalized({ ...rest, headers: { 'user-agent': agent, accept, 'content-type': type } })
      // credentials were taken out of the recording; uids of accounts are drawn
      .replace(/(X509SHA256|JTI)=[^"]*/g, '$1=…');

  it('is the recorded one, field by field, for a pod of a user', async () => {
    await webhook();
    const { metadata, spec } = run.body.request.object;
    const { env, name, image, imagePullPolicy } = spec.containers[0];
    const sent = { metadata, spec: { containers: [{ name, image, env, imagePullPolicy }] } };
    const { status } = await tryOut(sent, '&fieldManager=kubectl-run');
    expect(status).toBe(201);
    expect(asked.map(shown)).toEqual([shown({ path: run.path, headers: run.headers, body: run.body })]);
  });

  it('is the recorded one for a pod of a ReplicaSet', async () => {
    await webhook();
    const { metadata, spec } = ofReplicaSet.body.request.object;
    const { volumes: _, containers, ...rest } = spec;
    const template = {
      metadata,
      spec: { ...rest, containers: containers.map(({ volumeMounts: _, ...one }: Json) => one) },
    };
    const { 'pod-template-hash': __, ...labels } = metadata.labels;
    await admin.create('/apis/apps/v1/namespaces/default/deployments', {
      metadata: { name: 'web' },
      spec: {
        selector: { matchLabels: labels },
        template: { ...template, metadata: { labels, annotations: metadata.annotations } },
      },
    });
    await expect.poll(() => asked.length, { timeout: 30_000 }).toBeGreaterThan(0);
    await admin.delete('/apis/apps/v1/namespaces/default/deployments/web');
    expect(shown(asked[0])).toBe(shown(ofReplicaSet));
  });
});

describe('the answer of a webhook', () => {
  it('changes the pod before it is defaulted and validated; its warnings are the client’s', async () => {
    await webhook();
    const added = { name: 'added', image: 'nodeops.test/node:24' };
    answer = () => ({
      ...patchOf([{ op: 'add', path: '/spec/containers/-', value: added }]),
      warnings: ['mind "this"'],
    });
    const { status, headers, body } = await tryOut(pod());
    expect(status).toBe(201);
    expect(headers.warning).toBe('299 - "mind \\"this\\""');
    expect(body.spec.containers[1]).toMatchObject({ name: 'added', imagePullPolicy: 'IfNotPresent' });
    // the server's own admission is asked again: the new container has the account's token, too
    expect(body.spec.containers[1].volumeMounts).toEqual(body.spec.containers[0].volumeMounts);
    expect(body.spec.volumes).toHaveLength(1);
    answer = () => patchOf([{ op: 'add', path: '/spec/containers/-', value: { name: 'app', image: 'x' } }]);
    expect(await tryOut(pod())).toMatchObject({
      status: 422,
      body: { message: expect.stringContaining('Duplicate value') },
    });
  });

  it.each<[string, Json, string]>([
    ['another uid', { uid: 'x', allowed: true }, 'expected response.uid='],
    ['a patch without a type', { allowed: true, patch: 'W10=' }, 'do not go together'],
    ['a patch that is none', { allowed: true, patchType: 'JSONPatch', patch: 'Kg==' }, 'received undecodable patch'],
  ])('%s is refused, or passed over where failures are ignored', async (_, said, why) => {
    answer = () => said;
    await webhook();
    const { status, body } = await tryOut(pod());
    expect(status).toBe(500);
    expect(body.message).toContain(`Internal error occurred: failed calling webhook "a.hook.test": `);
    expect(body.message).toContain(why);
    await admin.delete(`${base}/mutatingwebhookconfigurations/hook`);
    await webhook({ failurePolicy: 'Ignore' });
    expect((await made(pod())).spec.containers).toHaveLength(1);
  });

  it('a refusal counts whatever the failure policy is, and so does a patch that does not apply', async () => {
    await webhook({ failurePolicy: 'Ignore' });
    answer = () => ({ allowed: false, status: { code: 403, message: 'not today' } });
    expect(await tryOut(pod())).toMatchObject({
      status: 403,
      body: { message: 'admission webhook "a.hook.test" denied the request: not today' },
    });
    answer = () => patchOf([{ op: 'add', path: '/spec/nowhere/deep', value: 1 }]);
    expect((await tryOut(pod())).status).toBe(500);
  });
});

describe('the call of a webhook', () => {
  it('ends in time, goes to nobody with another authority’s certificate, and says so', async () => {
    answer = () => undefined;
    await webhook({ timeoutSeconds: 1 });
    expect((await tryOut(pod())).body.message).toContain(`Post "${url}?timeout=1s": context deadline exceeded`);
    await admin.delete(`${base}/mutatingwebhookconfigurations/hook`);
    asked = [];
    const caBundle = Buffer.from(new CertificateAuthority().certificate).toString('base64');
    await webhook({ clientConfig: { url, caBundle } });
    expect((await tryOut(pod())).body.message).toContain('x509: ');
    expect(asked).toEqual([]);
  });

  it('to a Service that is not there, and to one without a ready pod', async () => {
    const caBundle = Buffer.from(authority.certificate).toString('base64');
    await webhook({ clientConfig: { service: { name: 'hook', namespace: 'default', path: '/x' }, caBundle } });
    expect((await tryOut(pod())).body.message).toContain(
      'Post "https://hook.default.svc:443/x?timeout=10s": service "hook" not found',
    );
    const spec = { selector: { app: 'hook' }, ports: [{ port: 443 }] };
    await admin.create('/api/v1/namespaces/default/services', { metadata: { name: 'hook' }, spec });
    expect((await tryOut(pod())).body.message).toContain('connect: connection refused');
    await admin.delete('/api/v1/namespaces/default/services/hook');
  });

  it('is made for what is selected only', async () => {
    const selected = async (more: Json, object: Json) => {
      await webhook(more);
      asked = [];
      await made(object);
      await admin.delete(`${base}/mutatingwebhookconfigurations/hook`);
      return asked.length;
    };
    const named = (operator: string) => ({
      namespaceSelector: { matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator, values: ['default'] }] },
    });
    expect(await selected(named('In'), pod())).toBe(1);
    expect(await selected(named('NotIn'), pod())).toBe(0);
    const objectSelector = { matchLabels: { hook: 'yes' } };
    expect(await selected({ objectSelector }, pod())).toBe(0);
    expect(await selected({ objectSelector }, pod({ labels: { hook: 'yes' } }))).toBe(1);
    const matchConditions = [{ name: 'asks', expression: "'a' in object.metadata.?annotations.orValue({})" }];
    expect(await selected({ matchConditions }, pod())).toBe(0);
    expect(await selected({ matchConditions }, pod({ annotations: { a: '' } }))).toBe(1);
    expect(await selected({ rules: [{ ...rule, operations: ['UPDATE'] }] }, pod())).toBe(0);
    expect(await selected({ rules: [{ ...rule, resources: ['pods/status'] }] }, pod())).toBe(0);
  });

  it('is made for updates with what was there before, and once more when something after it changed the object', async () => {
    await admin.create('/api/v1/namespaces/default/configmaps', { metadata: { name: 'c' }, data: { a: '1' } });
    await webhook({ rules: [{ ...rule, operations: ['UPDATE'], resources: ['configmaps'] }] });
    answer = () => patchOf([{ op: 'add', path: '/data/b', value: 'hook' }]);
    const changed = await admin.patch('/api/v1/namespaces/default/configmaps/c', { data: { a: '2' } });
    expect(changed.data).toEqual({ a: '2', b: 'hook' });
    const [{ request }] = asked.map(({ body }) => body) as [Json];
    expect([request.operation, request.oldObject.data, request.object.data]).toEqual([
      'UPDATE',
      { a: '1' },
      { a: '2' },
    ]);
    await admin.delete('/api/v1/namespaces/default/configmaps/c');
  });
});

describe('a policy', () => {
  it('merges an ApplyConfiguration by the keys of lists, and runs before the webhooks', async () => {
    const expression = `Object{spec: Object.spec{
      containers: [Object.spec.containers{name: "app", env: [Object.spec.containers.env{name: "B", value: "policy"}]}],
      volumes: [Object.spec.volumes{name: "v", emptyDir: Object.spec.volumes.emptyDir{}}]}}`;
    await policy('p', [apply(expression)]);
    await webhook();
    const env = [
      { name: 'A', value: '1' },
      { name: 'B', value: 'own' },
    ];
    const containers = [
      { name: 'first', image: 'x' },
      { name: 'app', image: 'y', env },
    ];
    const { spec } = await made(pod({}, { containers }));
    expect(spec.containers.map(({ name, image, env: variables }: Json) => [name, image, variables])).toEqual([
      ['first', 'x', undefined],
      [
        'app',
        'y',
        [
          { name: 'A', value: '1' },
          { name: 'B', value: 'policy' },
        ],
      ],
    ]);
    expect(spec.volumes.map(({ name }: Json) => name)).toContain('v');
    expect(asked[0]!.body.request.object.spec.containers[1].env[1].value).toBe('policy');
  });

  it('sees variables, the request and the namespace; a later one sees what an earlier one did', async () => {
    const variables = [
      { name: 'who', expression: 'request.userInfo.username + "/" + namespaceObject.metadata.name' },
      { name: 'broken', expression: 'object.spec.nothing' },
    ];
    await policy('a', [annotate('who', 'variables.who')], { variables });
    await policy('b', [
      jsonPatch(
        '[JSONPatch{op: "copy", from: "/metadata/annotations/who", path: "/metadata/annotations/" + jsonpatch.escapeKey("x/y")}]',
      ),
    ]);
    expect((await made(pod())).metadata.annotations).toEqual({ who: 'admin/default', 'x/y': 'admin/default' });
  });

  it('that fails refuses the pod, or leaves it as it is', async () => {
    const broken = [annotate('a', 'object.spec.nothing')];
    await policy('strict', broken);
    const refused = await tryOut(pod());
    expect(refused.body).toMatchObject({ code: 403, reason: 'Invalid' });
    expect(refused.body.message).toContain("policy 'strict' with binding 'strict' denied request: ");
    await admin.delete(`${base}/mutatingadmissionpolicies/strict`);
    await policy('lenient', broken, { failurePolicy: 'Ignore' });
    expect((await made(pod())).metadata.annotations).toBeUndefined();
    await policy('atomic', [
      apply('Object{spec: Object.spec{containers: [Object.spec.containers{name: "app", args: ["x"]}]}}'),
    ]);
    expect((await tryOut(pod())).body.message).toContain(
      'may not mutate atomic arrays, maps or structs: .spec.containers[0].args',
    );
  });

  it('whose result has an unknown field is an error that no failure policy hides', async () => {
    await policy('p', [jsonPatch('[JSONPatch{op: "add", path: "/spec/colour", value: "red"}]')], {
      failurePolicy: 'Ignore',
    });
    expect(await tryOut(pod())).toMatchObject({
      status: 500,
      body: { message: expect.stringContaining('unknown field "spec.colour"') },
    });
  });

  it('is for what it and its binding match, but not for what is excluded', async () => {
    const matchConstraints = { resourceRules: [rule], excludeResourceRules: [{ ...rule, resourceNames: ['spared'] }] };
    const matchResources = { objectSelector: { matchLabels: { tier: 'front' } } };
    await policy('p', [annotate('p', '"yes"')], { matchConstraints }, { matchResources });
    const annotations = async (metadata: Json) => (await made(pod(metadata))).metadata.annotations;
    expect(await annotations({ labels: { tier: 'front' } })).toEqual({ p: 'yes' });
    expect(await annotations({ labels: { tier: 'back' } })).toBeUndefined();
    expect(await annotations({ labels: { tier: 'front' }, name: 'spared' })).toBeUndefined();
  });

  it('is asked again, where it wants that, about what a webhook changed', async () => {
    const count = annotate('count', 'string(size(object.spec.containers))');
    await policy('again', [count], { reinvocationPolicy: 'IfNeeded' });
    await policy('once', [annotate('once', 'string(size(object.spec.containers))')]);
    await webhook();
    answer = ({ object }) =>
      object.spec.containers.length > 1
        ? { allowed: true }
        : patchOf([{ op: 'add', path: '/spec/containers/-', value: { name: 'b', image: 'x' } }]);
    expect((await made(pod())).metadata.annotations).toEqual({ count: '2', once: '1' });
    expect(asked).toHaveLength(1);
  });
});

describe('what cannot be stored', () => {
  const refusal = async (kind: string, object: Json) => {
    const { status, body } = await admin.request('POST', `${base}/${kind}`, { metadata: { name: 'bad' }, ...object });
    expect(status).toBe(422);
    return (body.details.causes as Json[]).map(({ field, reason }) => `${field} ${reason}`);
  };

  it('a policy without rules, with mutations that do not compile, without a word on reinvocation', async () => {
    expect(await refusal('mutatingadmissionpolicies', { spec: { mutations: [jsonPatch('[JSONPatch{op: ')] } })).toEqual(
      [
        'spec.matchConstraints FieldValueRequired',
        'spec.reinvocationPolicy FieldValueRequired',
        'spec.mutations[0].jsonPatch.expression FieldValueInvalid',
      ],
    );
  });

  it('a webhook without side effects, versions and a target, with a short name and a long time', async () => {
    expect(
      await refusal('mutatingwebhookconfigurations', {
        webhooks: [{ name: 'short', clientConfig: {}, timeoutSeconds: 31 }],
      }),
    ).toEqual([
      'webhooks[0].name FieldValueInvalid',
      'webhooks[0].admissionReviewVersions FieldValueRequired',
      'webhooks[0].sideEffects FieldValueRequired',
      'webhooks[0].timeoutSeconds FieldValueInvalid',
      'webhooks[0].clientConfig FieldValueRequired',
    ]);
  });
});
