import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { restRecording } from '../../transport/kube/server.ts';
import { type Answer, type Asked, forbid, json, notFound, openStage, type Stage } from './stage.ts';

let stage: Stage;
beforeEach(async () => {
  stage = await openStage();
});
afterEach(() => stage.close());

/** Denies these rights, written as `verb resource/subresource`. */
const denying =
  (...denied: string[]) =>
  ({ path, body }: Asked): Answer | undefined => {
    if (!path.endsWith('/selfsubjectaccessreviews')) return undefined;
    const { verb, resource, subresource } = body.spec.resourceAttributes;
    const right = `${verb} ${resource}${subresource ? `/${subresource}` : ''}`;
    if (!denied.includes(right)) return undefined;
    const recorded = restRecording('self-subject-access-review-denied') as { status: number; body: object };
    return { status: recorded.status, body: { ...recorded.body, spec: body.spec } };
  };

describe('the cluster part', () => {
  it('is green on a healthy cluster, but for the injector that is not there', async () => {
    const { code, checks } = await stage.doctor();
    expect(code).toBe(0);
    expect([...checks.keys()]).toEqual([
      ...['kubeconfig', 'context', 'credentials', 'server', 'user', 'clock'],
      ...['rights.get-pods', 'rights.list-pods', 'rights.portforward', 'rights.workloads'],
      ...['rights.exec', 'rights.ephemeral', 'rights.enable', 'namespace', 'podsecurity', 'networkpolicies'],
      ...['engine', 'engine.health', 'engine.namespace'],
    ]);
    const odd = [...checks.values()].filter(({ status }) => status !== 'ok').map(({ id, status }) => `${id} ${status}`);
    expect(odd).toEqual(['engine warn', 'engine.health skip', 'engine.namespace skip']);
    expect(checks.get('server')?.detail).toContain('v1.36.2');
    expect(checks.get('user')?.detail).toBe('jane, of developers');
    expect(checks.get('engine')?.remedy?.run?.[0]).toMatch(/^helm install nodeops /);
  });

  it('is one document with -o json and the same one with -o yaml', async () => {
    const { parse } = await import('yaml');
    const [asJson, asYaml] = await Promise.all(['json', 'yaml'].map((form) => stage.run(['doctor', '-o', form])));
    const document = JSON.parse(asJson!.stdout);
    expect(document).toMatchObject({ schema: 'nodeops/v1', operation: 'doctor', ok: true });
    const ids = (of: { checks: { id: string }[] }) => of.checks.map(({ id }) => id);
    expect(ids(parse(asYaml!.stdout))).toEqual(ids(document));
  });

  it('fits 60 columns, commands apart, and has no colour in a pipe', async () => {
    const { stdout } = await stage.run(['doctor'], { columns: 60 });
    const wide = stdout.split('\n').filter((line) => line.length > 60 && !/^\s+(?:helm|kubectl) /.test(line));
    // a path or an address is one word
    expect(wide.filter((line) => line.trim().split(' ').length > 3)).toEqual([]);
    expect(stdout).not.toContain('\x1b');
    expect(stdout).toMatch(/\n\d+ ok, 1 warning, 0 failed, 2 skipped\n$/);
  });

  it('without a kubeconfig fails there, and everything else is skipped because of it', async () => {
    const { code, stdout } = await stage.run(['doctor', '-o', 'json'], { env: { KUBECONFIG: '/nonexistent/config' } });
    expect(code).toBe(1);
    const [first, ...rest] = JSON.parse(stdout).checks;
    expect(first).toMatchObject({ id: 'kubeconfig', status: 'fail', remedy: { run: ['export KUBECONFIG=FILE'] } });
    expect(rest.length).toBeGreaterThan(15);
    for (const check of rest) expect(check).toMatchObject({ status: 'skip', detail: 'needs: kubeconfig' });
    expect(stage.asked).toEqual([]);
  });

  it('names the context that does not exist, and those that do', async () => {
    const { code, stdout } = await stage.run(['doctor', '--context', 'nope']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^fail {2}context .*nope/m);
    expect(stdout).toContain('test');
  });

  it('says that the server cannot be reached', async () => {
    await stage.kubeconfig({ token: 'token-of-jane' }, { server: 'http://127.0.0.1:1' });
    const { code, checks } = await stage.doctor();
    expect(code).toBe(1);
    expect(checks.get('server')).toMatchObject({ status: 'fail' });
    expect(checks.get('server')?.detail).toMatch(/127\.0\.0\.1:1.*connection refused/);
    expect(checks.get('user')).toMatchObject({ status: 'skip', detail: 'needs: API server' });
  });

  it('tells refused credentials from an unreachable server', async () => {
    stage.rest = () => ({ status: 401, body: { kind: 'Status', reason: 'Unauthorized', message: 'Unauthorized' } });
    const { code, checks } = await stage.doctor();
    expect(code).toBe(1);
    expect(checks.get('server')?.status).toBe('ok');
    expect(checks.get('user')?.status).toBe('fail');
    expect(checks.get('user')?.remedy?.run?.[0]).toContain('auth whoami');
    expect(checks.get('rights.portforward')).toMatchObject({ status: 'skip', detail: 'needs: user' });
  });

  it('sees a token that has expired before it is sent', async () => {
    const payload = Buffer.from(JSON.stringify({ exp: 1_600_000_000 })).toString('base64url');
    await stage.kubeconfig({ token: `eyJhbGciOiJub25lIn0.${payload}.c2ln` });
    const { checks } = await stage.doctor();
    expect(checks.get('credentials')).toMatchObject({ status: 'fail' });
    expect(checks.get('credentials')?.detail).toContain('2020-09-13');
    expect(stage.asked).toEqual([]);
  });

  it('warns of an old server', async () => {
    stage.rest = ({ path }) =>
      path === '/version' ? json({ major: '1', minor: '27+', gitVersion: 'v1.27.4-eks-2d98532' }) : undefined;
    const { code, checks } = await stage.doctor();
    expect(code).toBe(0);
    expect(checks.get('server')).toMatchObject({ status: 'warn' });
    expect(checks.get('server')?.detail).toContain('v1.27.4-eks-2d98532 is older than 1.30');
  });

  it.each([
    [3_600_000, 'behind'],
    [-600_000, 'ahead of'],
  ])('warns of a clock that is %i ms off', async (skewMs, said) => {
    stage.skewMs = skewMs;
    const { checks } = await stage.doctor();
    expect(checks.get('clock')).toMatchObject({ status: 'warn' });
    expect(checks.get('clock')?.detail).toMatch(new RegExp(`^\\d+ s ${said} the API server`));
    const seconds = Number.parseInt(checks.get('clock')!.detail!, 10);
    expect(Math.abs(seconds - Math.abs(skewMs) / 1_000)).toBeLessThan(10);
  });
});

describe('rights', () => {
  it('fails without create of pods/portforward, and gives the commands that grant it', async () => {
    stage.rest = denying('create pods/portforward');
    const { code, checks } = await stage.doctor();
    expect(code).toBe(1);
    const check = checks.get('rights.portforward');
    expect(check).toMatchObject({ status: 'fail' });
    expect(check?.detail).toContain('may not create in namespace shop');
    expect(check?.remedy?.run).toEqual([
      'kubectl create role nodeops-portforward --verb=get,create --resource=pods/portforward -n shop',
      'kubectl create rolebinding nodeops-portforward --role=nodeops-portforward --user=jane -n shop',
    ]);
  });

  it('only warns of it where the server does not ask for create yet', async () => {
    const denied = denying('create pods/portforward');
    stage.rest = (asked) =>
      asked.path === '/version' ? json({ major: '1', minor: '33', gitVersion: 'v1.33.1' }) : denied(asked);
    const { code, checks } = await stage.doctor();
    expect(code).toBe(0);
    expect(checks.get('rights.portforward')?.status).toBe('warn');
  });

  it('warns of what single commands need, and says which work without it', async () => {
    stage.rest = denying('list pods', 'patch pods/ephemeralcontainers', 'get pods/exec', 'patch deployments');
    const { code, checks } = await stage.doctor();
    expect(code).toBe(0);
    const warned = [...checks.values()].filter(({ id, status }) => id.startsWith('rights.') && status === 'warn');
    expect(warned.map(({ id }) => id)).toEqual([
      'rights.list-pods',
      'rights.exec',
      'rights.ephemeral',
      'rights.enable',
    ]);
    expect(warned[0]?.detail).toContain('no deploy/NAME, -l or -A; still works: commands on pod/NAME');
    expect(warned[3]?.remedy?.run?.[0]).toContain('--verb=patch --resource=deployments.apps');
  });

  it('asks with group and subresource in their fields', async () => {
    await stage.doctor();
    const reviews = stage.asked.filter(({ path }) => path.endsWith('/selfsubjectaccessreviews'));
    const attributes = reviews.map(({ body }) => body.spec.resourceAttributes);
    expect(attributes).toContainEqual({ verb: 'patch', resource: 'deployments', group: 'apps', namespace: 'shop' });
    expect(attributes).toContainEqual({ verb: 'create', resource: 'pods', subresource: 'exec', namespace: 'shop' });
  });

  it('binds service accounts by their own flag', async () => {
    const denied = denying('get pods');
    stage.rest = (asked) =>
      asked.path.endsWith('/selfsubjectreviews')
        ? json({ status: { userInfo: { username: 'system:serviceaccount:ci:runner' } } }, 201)
        : denied(asked);
    const { checks } = await stage.doctor();
    expect(checks.get('rights.get-pods')?.remedy?.run?.[1]).toContain('--serviceaccount=ci:runner -n shop');
  });
});

describe('the namespace', () => {
  it('that is not there', async () => {
    stage.rest = ({ path }) => (path === '/api/v1/namespaces/shop' ? notFound() : undefined);
    const { code, checks } = await stage.doctor();
    expect(code).toBe(1);
    expect(checks.get('namespace')).toMatchObject({ status: 'fail', detail: 'there is no namespace shop' });
  });

  it('with PodSecurity restricted, as recorded', async () => {
    const { body } = restRecording('namespace-restricted');
    stage.rest = ({ path }) => (path === '/api/v1/namespaces/shop' ? json(body) : undefined);
    const { checks } = await stage.doctor();
    expect(checks.get('podsecurity')).toMatchObject({ status: 'ok' });
    expect(checks.get('podsecurity')?.detail).toMatch(/^restricted: .*must not be root/);
  });

  it('that may not be looked at hides its level, and nothing else', async () => {
    stage.rest = ({ path }) =>
      path === '/api/v1/namespaces/shop'
        ? forbid('get', 'namespaces')
        : path.endsWith('/networkpolicies')
          ? forbid('list', 'networkpolicies', 'networking.k8s.io')
          : undefined;
    const { code, checks } = await stage.doctor();
    expect(code).toBe(0);
    expect(checks.get('namespace')?.status).toBe('ok');
    expect(checks.get('podsecurity')?.status).toBe('skip');
    expect(checks.get('networkpolicies')?.status).toBe('skip');
    expect(checks.get('networkpolicies')?.detail).toContain('loopback inside the pod');
  });
});
