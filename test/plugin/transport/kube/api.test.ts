import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { getPod } from '../../../../src/plugin/transport/kube/pods.ts';
import { portForward } from '../../../../src/plugin/transport/kube/portforward.ts';
import { NodeopsError } from '../../../../src/protocol/errors.ts';
import { type Behaviour, restRecording, startServer, type TestServer } from './server.ts';

const servers: TestServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function serve(rest: Behaviour['rest']): Promise<TestServer> {
  const server = await startServer(rest ? { rest } : {});
  servers.push(server);
  return server;
}

async function failure(promise: Promise<unknown>): Promise<NodeopsError> {
  const error = await promise.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(NodeopsError);
  return error as NodeopsError;
}

const pods = '/api/v1/namespaces/default/pods';
const jwt = (claims: object) =>
  ['{"alg":"none"}', JSON.stringify(claims), 'x'].map((part) => Buffer.from(part).toString('base64url')).join('.');

describe('requests', () => {
  it('use one connection, below the path of the server, with all impersonation headers', async () => {
    const server = await serve(() => ({ status: 200, body: { kind: 'Pod' } }));
    const api = await server.api({
      server: `${server.url}/k8s/clusters/c-1/`,
      token: 'secret',
      as: 'jane',
      asUid: '7',
      asGroup: ['a', 'b'],
      asUserExtra: ['acme.test/why=on call'],
    });
    await api.get(`${pods}/a`, { query: { labelSelector: 'app in (x)' } });
    await api.get(`${pods}/b`);
    expect(server.connections()).toBe(1);
    const [first] = server.seen;
    expect(first!.url).toBe(`/k8s/clusters/c-1${pods}/a?labelSelector=app+in+%28x%29`);
    expect(first!.headers).toMatchObject({
      authorization: 'Bearer secret',
      'impersonate-user': 'jane',
      'impersonate-uid': '7',
      'impersonate-group': 'a, b',
      'impersonate-extra-acme.test%2fwhy': 'on call',
    });
  });

  it('list page by page', async () => {
    const server = await serve(({ url }) => {
      const token = new URL(url, 'http://x').searchParams.get('continue');
      const from = Number(token ?? 0);
      const items = [from, from + 1];
      return { status: 200, body: { items, metadata: from < 4 ? { continue: String(from + 2) } : {} } };
    });
    const api = await server.api();
    const items: number[] = [];
    for await (const item of api.list<number>(pods)) items.push(item);
    expect(items).toEqual([0, 1, 2, 3, 4, 5]);
    expect(server.seen[0]!.url).toContain('limit=500');
  });

  it('post and patch send JSON with the right type', async () => {
    const server = await serve(() => ({ status: 201, body: {} }));
    const api = await server.api();
    await api.post('/api/v1/x', { a: 1 });
    await api.patch('/api/v1/x', { b: 2 });
    expect(server.seen.map(({ method, body, headers }) => [method, body, headers['content-type']])).toEqual([
      ['POST', '{"a":1}', 'application/json'],
      ['PATCH', '{"b":2}', 'application/strategic-merge-patch+json'],
    ]);
  });

  it('are repeated after a reset when they are reads, and only then', async () => {
    let resets = 2;
    const server = await serve(() => (resets-- > 0 ? undefined : { status: 200, body: { ok: true } }));
    const api = await server.api();
    expect(await api.get(pods)).toEqual({ ok: true });
    expect(server.seen).toHaveLength(3);
    resets = 1;
    expect((await failure(api.post(pods, {}))).code).toBe('unreachable');
    expect(server.seen).toHaveLength(4);
  });
});

describe('a server that has too much to do', () => {
  const busy = (status: number, times: number, retryAfter: string | undefined) => {
    let left = times;
    return serve(() => (left-- > 0 ? { status, body: 'busy', retryAfter } : { status: 200, body: { ok: true } }));
  };

  it.each([429, 503])('is asked again after a %i when it says when, if only read from', async (status) => {
    const server = await busy(status, 2, '0');
    const api = await server.api();
    expect(await api.get(pods)).toEqual({ ok: true });
    expect(server.seen).toHaveLength(3);
    const other = await busy(status, 1, '0');
    expect(await failure((await other.api()).post(pods, {}))).toMatchObject({ code: 'unreachable' });
    expect(other.seen).toHaveLength(1);
  });

  it('is waited for as long as it says', async () => {
    const server = await busy(429, 1, '1');
    const begun = performance.now();
    expect(await (await server.api()).get(pods)).toEqual({ ok: true });
    // timers count whole milliseconds
    expect(performance.now() - begun).toBeGreaterThan(990);
  });

  it('is given up when it says so too often, does not say when, or says later than the request may take', async () => {
    const often = await busy(429, 100, '0');
    expect((await failure((await often.api()).get(pods))).message).toContain(`refused GET ${pods}: busy`);
    expect(often.seen).toHaveLength(4);
    for (const retryAfter of [undefined, 'Wed, 21 Oct 2015 07:28:00 GMT', '3600']) {
      const server = await busy(503, 1, retryAfter);
      expect(await failure((await server.api()).get(pods))).toMatchObject({ code: 'unreachable' });
      expect(server.seen).toHaveLength(1);
    }
  });
});

describe('refusals', () => {
  const refused = async (name: string, options = {}) => {
    const server = await serve(() => restRecording(name));
    const api = await server.api(options);
    return failure(api.get(pods));
  };

  it('a recorded 403 names user, verb, resource and namespace', async () => {
    const error = await refused('forbidden-pod-list');
    expect(error).toMatchObject({
      code: 'forbidden',
      message: "user 'system:serviceaccount:default:nobody' may not list pods in namespace 'default'",
      detail: { verb: 'list', resource: 'pods', namespace: 'default' },
    });
    expect(error.hint).toContain('create role nodeops --verb=list --resource=pods -n default');
  });

  it('a 401 says that nothing was sent, or what was', async () => {
    expect((await refused('no-credentials')).message).toContain('none were sent');
    const error = await refused('unauthorized', { token: 'bad' });
    expect(error).toMatchObject({ code: 'unauthenticated', detail: { credentials: 'a bearer token' } });
    expect(error.hint).toMatch(/^kubectl .*auth whoami$/);
  });

  it('a 403 to the anonymous user says that nothing was sent: nobody would grant it rights', async () => {
    const message =
      'pods "api-0" is forbidden: User "system:anonymous" cannot get resource "pods" in API group "" in the namespace "default"';
    const status = { kind: 'Status', status: 'Failure', reason: 'Forbidden', code: 403, message };
    const server = await serve(() => ({ status: 403, body: status }));
    const error = await failure((await server.api()).get(pods));
    expect(error.code).toBe('unauthenticated');
    expect(error.message).toContain('wants credentials and none were sent');
  });

  it('a 401 to an expired token says when it expired', async () => {
    const error = await refused('unauthorized', { token: jwt({ exp: 1_700_000_000 }) });
    expect(error.message).toContain('which expired at 2023-11-14T22:13:20.000Z');
    const fresh = await refused('unauthorized', { token: jwt({ exp: Math.ceil(Date.now() / 1_000) + 600 }) });
    expect(fresh.message).not.toContain('expired');
  });

  it('a 404 and a 400 carry the server’s words', async () => {
    expect(await refused('pod-not-found')).toMatchObject({ code: 'nothing-matched' });
    const bad = await refused('pod-list-bad-selector');
    expect(bad.code).toBe('failed');
    expect(bad.message).toContain('unable to parse requirement');
  });

  it('leave impersonation out of what an administrator is to type, and keep the way to the server', async () => {
    const { hint } = await refused('forbidden-pod-list', { as: 'bob', asGroup: ['dev'], tlsServerName: 'api.test' });
    expect(hint).toMatch(
      /^an administrator can grant it: kubectl --server=\S+ --tls-server-name=api\.test create role nodeops --verb=list /,
    );
    expect((await refused('unauthorized', { token: 'x', as: 'bob', asGroup: ['dev'] })).hint).toMatch(
      /^kubectl --server=\S+ --as=bob --as-group=dev auth whoami$/,
    );
  });

  it.each([
    [200, '<html>'],
    [302, ''],
    [403, '<!DOCTYPE html><title>log in</title>'],
    [404, 'nginx'],
    [404, '404 page not found'],
  ])('%i with %j: what is no API server is said to be none, with its address', async (status, body) => {
    const server = await serve(() => ({ status, body }));
    const { code, exitCode, message, hint } = await failure(
      (await server.api({ server: `${server.url}/k8s/` })).get(pods),
    );
    expect({ code, exitCode, message }).toEqual({
      code: 'unreachable',
      exitCode: 5,
      message: `what answers at ${server.url}/k8s (--server) is no Kubernetes API server: it answered ${status} to GET ${pods}`,
    });
    expect(hint).toContain("check the server's address");
  });

  it('a page of a proxy whose API server is away is not quoted', async () => {
    const server = await serve(() => ({ status: 502, body: '<html><h1>502 Bad Gateway</h1></html>' }));
    const { code, message } = await failure((await server.api()).get(pods));
    expect({ code, message }).toEqual({
      code: 'unreachable',
      message: `the API server refused GET ${pods}: HTTP 502 from a proxy before it`,
    });
  });

  it('a pod is missing only when a Status says so', async () => {
    const ref = { namespace: 'default', name: 'api-0' };
    const missing = await serve(() => restRecording('pod-not-found'));
    expect(await failure(getPod(await missing.api(), ref))).toMatchObject({ code: 'no-such-pod' });
    const elsewhere = await serve(() => ({ status: 404, body: '404 page not found' }));
    expect(await failure(getPod(await elsewhere.api(), ref))).toMatchObject({ code: 'unreachable' });
  });

  it('a group of resources that an older API server does not have is no sign of another server', async () => {
    const server = await serve(() => ({ status: 404, body: '404 page not found\n' }));
    const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
    expect(await failure((await server.api()).get(path))).toMatchObject({ code: 'nothing-matched' });
  });
});

describe('an API server that cannot be reached', () => {
  it('refuses, has no name, or says nothing: server and context are named', async () => {
    const server = await startServer({});
    const api = await server.api();
    await server.close();
    const refusedError = await failure(api.get(pods));
    expect(refusedError).toMatchObject({ code: 'unreachable' });
    expect(refusedError.message).toBe(`cannot reach the API server ${server.url} (--server): connection refused`);
    const unnamed = await (await serve(undefined)).api({ server: 'https://api.nodeops.invalid' });
    expect((await failure(unnamed.get(pods))).message).toMatch(
      /api\.nodeops\.invalid .*(no such host|cannot be resolved)/,
    );
  });

  it('does not answer within --request-timeout, or the time of the caller', async () => {
    const server = await startServer({ rest: () => ({ status: 200, body: '' }) });
    servers.push(server);
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await new Promise((done) => silent.once('listening', done));
    const url = `http://127.0.0.1:${(silent.address() as { port: number }).port}`;
    const hasty = await server.api({ server: url, requestTimeout: '100ms' });
    expect(await failure(hasty.get(pods))).toMatchObject({ code: 'timeout' });
    const patient = await server.api({ server: url });
    const error = await failure(patient.get(pods, { signal: AbortSignal.timeout(100) }));
    expect(error).toMatchObject({ code: 'unreachable' });
    expect(error.message).toContain(url);
    const pod = { namespace: 'default', name: 'api-0' };
    const stream = await failure(portForward(hasty, { pod, port: 1 }, AbortSignal.timeout(60_000)));
    expect(stream).toMatchObject({ code: 'timeout' });
    expect(stream.message).toBe(`the API server ${url} did not answer ${pods}/api-0/portforward within 100 ms`);
    expect(stream.hint).toBe((await failure(hasty.get(pods))).hint);
    const aborted = patient.get(pods, { signal: AbortSignal.abort() });
    expect(await failure(aborted)).toMatchObject({ code: 'interrupted' });
    silent.close();
  });
});
