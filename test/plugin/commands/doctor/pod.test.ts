import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { installedChart } from './chart.ts';
import { json, list, openStage, type Stage } from './stage.ts';

let stage: Stage;
beforeEach(async () => {
  stage = await openStage();
});
afterEach(() => stage.close());

interface Given {
  readonly metadata?: object;
  readonly container?: object;
  readonly spec?: object;
  readonly status?: object;
}

function podOf({ metadata, container, spec, status }: Given): object {
  return {
    kind: 'Pod',
    metadata: { name: 'api-0', namespace: 'shop', creationTimestamp: '2026-06-01T00:00:00Z', ...metadata },
    spec: { containers: [{ name: 'app', ...container }], ...spec },
    status: {
      phase: 'Running',
      containerStatuses: [{ name: 'app', restartCount: 0, state: { running: {} } }],
      ...status,
    },
  };
}

/** The checks of a pod that is as given. */
async function of(given: Given) {
  const before = stage.rest;
  stage.rest = (asked) => (asked.path.endsWith('/pods/api-0') ? json(podOf(given)) : before(asked));
  return (await stage.doctor('pod/api-0')).checks;
}
const asking = (more: Record<string, string> = {}) => ({ annotations: { 'nodeops.dev/inject': 'true', ...more } });

describe('the state of a pod', () => {
  it('that is not there fails, and nothing after it is looked at', async () => {
    const { code, checks } = await stage.doctor('api-9');
    expect(code).toBe(1);
    expect(checks.get('pod')?.detail).toBe("there is no pod 'api-9' in namespace 'shop'");
    expect(checks.get('agent')).toMatchObject({ status: 'skip', detail: 'needs: pod' });
  });

  it('says why it does not run', async () => {
    const waiting = { reason: 'ImagePullBackOff', message: 'Back-off pulling image' };
    const checks = await of({ status: { phase: 'Pending', containerStatuses: [{ name: 'app', state: { waiting } }] } });
    expect(checks.get('pod.running')).toMatchObject({ status: 'fail' });
    expect(checks.get('pod.running')?.detail).toContain('ImagePullBackOff');
    expect(checks.get('agent')).toMatchObject({ status: 'skip', detail: 'needs: pod runs' });
  });

  it('warns of a kubelet that tells of an image volume all the time', async () => {
    const before = stage.rest;
    const pulled = (count: number) => list({ type: 'Normal', reason: 'Pulled', count });
    const asked = async (volumes: object[], count: number) => {
      stage.rest = (request) => {
        if (request.path.endsWith('/pods/api-0')) return json(podOf({ spec: { volumes } }));
        return request.path.endsWith('/events') ? pulled(count) : before(request);
      };
      return (await stage.doctor('pod/api-0')).checks.get('pod.events');
    };
    const image = [{ name: 'nodeops', image: { reference: 'nodeops:1' } }];
    expect(await asked(image, 48)).toMatchObject({
      status: 'warn',
      detail: expect.stringContaining("'Pulled' 48 times"),
    });
    expect(await asked(image, 8)).toMatchObject({ status: 'ok' });
    expect(await asked([], 48)).toMatchObject({ status: 'ok', detail: 'no image volume' });
  });

  it('warns of restarts with their reason', async () => {
    const terminated = { reason: 'OOMKilled', exitCode: 137 };
    const status = { name: 'app', restartCount: 4, state: { running: {} }, lastState: { terminated } };
    const checks = await of({ status: { containerStatuses: [status] } });
    expect(checks.get('pod.running')).toMatchObject({ status: 'warn' });
    expect(checks.get('pod.running')?.detail).toContain('restarted 4 times, last with OOMKilled, exit code 137');
    expect(checks.get('pod.running')?.remedy?.run).toEqual(['kubectl logs api-0 --previous -n shop']);
  });
});

describe('injection', () => {
  it('that was done is told with its version', async () => {
    const checks = await of({
      metadata: asking({ 'nodeops.dev/injected': 'app', 'nodeops.dev/version': '0.1.0' }),
    });
    expect(checks.get('inject.done')).toMatchObject({ status: 'ok', detail: 'app, agent 0.1.0' });
  });

  it('asked of a pod older than the injector has the rollout restart that mends it', async () => {
    stage.rest = await installedChart('1.36', undefined, { createdAt: '2026-07-01T00:00:00Z' });
    const ownerReferences = [{ kind: 'StatefulSet', name: 'api', controller: true }];
    const checks = await of({ metadata: { ...asking(), ownerReferences } });
    expect(checks.get('inject.done')).toMatchObject({
      status: 'fail',
      remedy: { run: ['kubectl rollout restart statefulset/api -n shop'] },
    });
    expect(checks.get('inject.done')?.detail).toContain('before the injector (2026-07-01');
  });

  it('asked after the pod was created names the Deployment behind the replica set, which may not be read', async () => {
    stage.rest = await installedChart('1.36');
    const ownerReferences = [{ kind: 'ReplicaSet', name: 'api-7d9f', controller: true }];
    const metadata = { ...asking(), ownerReferences, labels: { 'pod-template-hash': '7d9f' } };
    const checks = await of({ metadata });
    expect(checks.get('inject.done')?.status).toBe('fail');
    expect(checks.get('inject.done')?.remedy?.run).toEqual(['kubectl rollout restart deploy/api -n shop']);
  });

  it('asked by the namespace counts as asked, and "false" outweighs it', async () => {
    const chart = await installedChart('1.36');
    const labels = { 'kubernetes.io/metadata.name': 'shop', 'nodeops.dev/inject': 'true' };
    stage.rest = (asked) =>
      asked.path === '/api/v1/namespaces/shop' ? json({ metadata: { name: 'shop', labels } }) : chart(asked);
    const rest = stage.rest;
    const byNamespace = await of({});
    expect(byNamespace.get('inject.asked')?.detail).toBe("by the namespace's label");
    expect(byNamespace.get('inject.done')?.status).toBe('fail');
    stage.rest = rest;
    const refused = await of({ metadata: { annotations: { 'nodeops.dev/inject': 'false' } } });
    expect(refused.get('inject.asked')?.detail).toContain('is "false"');
    expect(refused.get('inject.done')?.status).toBe('skip');
  });

  it('asked with a value that is not true warns, with the command that asks rightly', async () => {
    const ownerReferences = [{ kind: 'DaemonSet', name: 'api', controller: true }];
    const checks = await of({ metadata: { annotations: { 'nodeops.dev/inject': 'yes' }, ownerReferences } });
    expect(checks.get('inject.asked')).toMatchObject({
      status: 'warn',
      remedy: { run: ['kubectl nodeops enable daemonset/api -n shop'] },
    });
  });

  it('tells what the injector left alone, with the YAML that mends it', async () => {
    const said = 'app: NODE_OPTIONS comes from valueFrom and cannot be appended to';
    const checks = await of({ metadata: asking({ 'nodeops.dev/skipped': said }) });
    expect(checks.get('inject.skipped')).toMatchObject({ status: 'warn', detail: said });
    expect(checks.get('inject.skipped')?.remedy?.yaml).toContain('- name: NODE_OPTIONS');
    expect(checks.get('inject.done')?.status).toBe('fail');
  });
});

it.each([
  ["pod: port 8848 is the app's own, set nodeops.dev/port to another", /nodeops\.dev\/port: "/],
  ["pod: the volume nodeops-agent is the app's own", /another name/],
])('left alone with %s is told what to change', async (said, remedy) => {
  const checks = await of({ metadata: asking({ 'nodeops.dev/skipped': said }) });
  expect(JSON.stringify(checks.get('inject.skipped')?.remedy).replaceAll('\\', '')).toMatch(remedy);
});

describe("the pod's spec", () => {
  const env = (...entries: [string, string][]) => ({ env: entries.map(([name, value]) => ({ name, value })) });

  it.each([
    ['valueFrom', { env: [{ name: 'NODE_OPTIONS', valueFrom: { configMapKeyRef: {} } }] }, 'node.options', 'warn'],
    ['envFrom', { envFrom: [{ secretRef: { name: 'x' } }] }, 'node.options', 'warn'],
    ['envFrom beside a literal', { envFrom: [{}], ...env(['NODE_OPTIONS', '']) }, 'node.options', 'ok'],
    ['--disable-sigusr1', { command: ['node', '--disable-sigusr1', 'app.js'] }, 'node.flags', 'warn'],
    ['--disable-sigusr1 in NODE_OPTIONS', env(['NODE_OPTIONS', '--disable-sigusr1']), 'node.flags', 'warn'],
    ['--permission', { args: ['--permission', 'app.js'] }, 'node.flags', 'fail'],
    ['--permission --allow-worker', { args: ['--permission', '--allow-worker', 'app.js'] }, 'node.flags', 'ok'],
    ['--inspect=0.0.0.0', { command: ['node', '--inspect=0.0.0.0:9229', 'app.js'] }, 'node.flags', 'warn'],
    ['--inspect', { command: ['node', '--inspect', 'app.js'] }, 'node.flags', 'ok'],
    ['--inspect-port=0', env(['NODE_OPTIONS', '--inspect-port=0']), 'node.flags', 'ok'],
    ['NODEOPS_DISABLED', env(['NODEOPS_DISABLED', 'true']), 'agent.settings', 'fail'],
    ['NODEOPS_DISABLED=0', env(['NODEOPS_DISABLED', '0']), 'agent.settings', 'ok'],
    ['a misspelt variable', env(['NODEOPS_PROT', '8848']), 'agent.settings', 'warn'],
    ['a port that is none', env(['NODEOPS_PORT', 'eighty']), 'agent.settings', 'warn'],
    ['an address beyond loopback', env(['NODEOPS_ADDR', '0.0.0.0:8848']), 'agent.settings', 'warn'],
    ['an address on loopback', env(['NODEOPS_ADDR', '127.0.0.1:8848']), 'agent.settings', 'ok'],
    ['a token in the open', env(['NODEOPS_TOKEN', 'x']), 'agent.settings', 'warn'],
    ['read-only', env(['NODEOPS_READ_ONLY', 'true']), 'agent.read-only', 'warn'],
    ['no artifact volume', env(['NODEOPS_CONTAINER', 'app']), 'artifacts', 'warn'],
    ['nothing of ours', {}, 'artifacts', 'skip'],
  ])('with %s', async (_, container, id, status) => {
    const checks = await of({ container });
    expect(checks.get(id)).toMatchObject({ id, status });
    if (status === 'warn' || status === 'fail') expect(checks.get(id)?.remedy).not.toBeNull();
  });

  it.each([
    [undefined, 'ok'],
    [true, 'fail'],
  ])('with an artifact volume mounted read-only: %s', async (readOnly, status) => {
    const volumeMounts = [{ name: 'nodeops-artifacts', mountPath: '/nodeops-artifacts', readOnly }];
    const checks = await of({ container: { volumeMounts, ...env(['NODEOPS_ARTIFACTS_DIR', '/nodeops-artifacts']) } });
    expect(checks.get('artifacts')).toMatchObject({ status });
  });

  it('with the host network', async () => {
    const checks = await of({ spec: { hostNetwork: true } });
    expect(checks.get('pod.network')).toMatchObject({ status: 'warn' });
  });

  it('with a port of its own tells the flag that commands need', async () => {
    const checks = await of({ metadata: asking({ 'nodeops.dev/port': '9100' }) });
    expect(checks.get('pod.port')).toMatchObject({ status: 'ok', detail: '9100: commands need --port 9100' });
    expect(stage.asked.some(({ path, query }) => path.endsWith('/portforward') && query.get('ports') === '9100')).toBe(
      true,
    );
  });
});

describe('a selection', () => {
  it('looks at each pod, but not at more than ten', async () => {
    const names = Array.from({ length: 12 }, (_, index) => `api-${index}`);
    const pods = names.map((name) => ({ ...podOf({}), metadata: { name, namespace: 'shop' } }));
    stage.rest = ({ path }) => {
      if (path.endsWith('/pods')) return list(...pods);
      const found = pods.find(({ metadata }) => path.endsWith(`/pods/${metadata.name}`));
      return found && json(found);
    };
    const { stdout } = await stage.run(['doctor', '-l', 'app=api', '-o', 'json']);
    const subjects = new Set(JSON.parse(stdout).checks.map(({ subject }: { subject: string | null }) => subject));
    expect(subjects.size).toBe(12);
    expect(stdout).toContain('12, the first 10 of which are looked at');
  });

  it('that is empty fails', async () => {
    const { code, checks } = await stage.doctor('-l', 'app=nope');
    expect(code).toBe(1);
    expect(checks.get('pods')).toMatchObject({ status: 'fail', detail: 'none' });
  });

  it('and a target exclude each other', async () => {
    const { code, stderr } = await stage.run(['doctor', 'api-0', '-l', 'app=api']);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: 'doctor looks at one target, or at one selection with -l\n',
    });
  });
});
