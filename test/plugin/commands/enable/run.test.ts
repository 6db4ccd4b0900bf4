import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { installedChart } from '../doctor/chart.ts';
import { type Answer, type Asked, forbid, json, list, openStage, type Stage } from '../doctor/stage.ts';

let stage: Stage;
let chart: (asked: Asked) => Answer | undefined;
beforeEach(async () => {
  stage = await openStage();
  chart = await installedChart('1.36');
});
afterEach(() => stage.close());

const path = '/apis/apps/v1/namespaces/shop/deployments/api';
interface Workload {
  metadata: { name: string; generation: number };
  spec: Record<string, unknown>;
  status: Record<string, unknown>;
}
function deployment(more: { spec?: object; status?: object; annotations?: Record<string, string> } = {}): Workload {
  return {
    metadata: { name: 'api', generation: 2 },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: 'api' } },
      template: { metadata: { annotations: more.annotations ?? {} }, spec: { containers: [{ name: 'app' }] } },
      ...more.spec,
    },
    status: { observedGeneration: 2, replicas: 2, updatedReplicas: 2, availableReplicas: 2, ...more.status },
  };
}

/** Serves one workload after the other at each GET, the last one for ever. */
function serving(workloads: Workload[], more: (asked: Asked) => Answer | undefined = () => undefined): void {
  const left = [...workloads];
  stage.rest = (asked) => {
    const answer = more(asked);
    if (answer) return answer;
    if (asked.path === path && asked.method === 'PATCH') return json(left[0]);
    if (asked.path === path) return json(left.length > 1 ? left.shift() : left[0]);
    return chart(asked);
  };
}
const patches = () => stage.asked.filter(({ method }) => method === 'PATCH');

describe('enable', () => {
  it('patches the template and says what follows', async () => {
    serving([deployment()]);
    const { code, stdout, stderr } = await stage.run(['enable', 'deploy/api', '--sidecar', '--port', '9100']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'deployment/api enabled\n' });
    expect(stderr).toBe('its pods are being replaced; follow with: kubectl rollout status deployment/api -n shop\n');
    expect(patches()).toMatchObject([
      {
        path,
        contentType: 'application/strategic-merge-patch+json',
        body: {
          spec: {
            template: {
              metadata: {
                annotations: {
                  'nodeops.dev/inject': 'true',
                  'nodeops.dev/port': '9100',
                  'nodeops.dev/sidecar': 'true',
                },
              },
            },
          },
        },
      },
    ]);
    expect(patches()[0]?.query.get('dryRun')).toBeNull();
  });

  it('does nothing where it is so already', async () => {
    serving([deployment({ annotations: { 'nodeops.dev/inject': 'true' } })]);
    const { code, stdout } = await stage.run(['enable', 'deploy/api']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'deployment/api is already enabled\n' });
    expect(patches()).toEqual([]);
  });

  it('tells where it is so already and the pods came before the injector', async () => {
    const annotations = { 'nodeops.dev/inject': 'true' };
    const pod = { metadata: { name: 'api-x', namespace: 'shop', annotations } };
    serving([deployment({ annotations })], ({ path: at }) => (at.endsWith('/pods') ? list(pod) : undefined));
    const { code, stderr } = await stage.run(['enable', 'deploy/api']);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: 'deployment/api: its pods carry no agent; see kubectl nodeops doctor deployment/api -n shop\n',
    });
  });

  it('prints the patch as YAML with --dry-run client, without asking for an injector', async () => {
    serving([deployment()]);
    const { code, stdout } = await stage.run(['enable', 'deploy/api', '--dry-run', 'client']);
    expect(code).toBe(0);
    expect(parse(stdout)).toEqual({
      spec: { template: { metadata: { annotations: { 'nodeops.dev/inject': 'true' } } } },
    });
    expect(stage.asked.map(({ method }) => method)).toEqual(['GET']);
  });

  it('has the server check it with --dry-run server, and does not wait', async () => {
    serving([deployment()]);
    const { code, stdout, stderr } = await stage.run(['enable', 'deploy/api', '--dry-run', 'server', '--wait']);
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: 'deployment/api enabled (server dry run)\n',
      stderr: '',
    });
    expect(patches()[0]?.query.get('dryRun')).toBe('All');
  });

  it('refuses where no injector is installed, with the command that installs one', async () => {
    serving([deployment()]);
    chart = () => undefined;
    const { code, stdout, stderr } = await stage.run(['enable', 'deploy/api']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/no injector is installed.*; helm install nodeops .*--force/);
    expect(patches()).toEqual([]);
    const forced = await stage.run(['enable', 'deploy/api', '--force']);
    expect(forced.code).toBe(0);
    expect(patches()).toHaveLength(1);
  });

  it('refuses in a namespace that the injector leaves out', async () => {
    serving([deployment()]);
    chart = await installedChart('1.36', undefined, { values: { namespaces: { excluded: ['shop'] } } });
    const { code, stderr } = await stage.run(['enable', 'deploy/api']);
    expect(code).toBe(1);
    expect(stderr).toContain("namespace 'shop' is excluded");
  });

  it('goes on, and says so, where the injector may not be looked for', async () => {
    serving([deployment()], ({ path: at }) =>
      at.includes('admissionregistration') ? forbid('list', at.split('/').at(-1)!) : undefined,
    );
    const { code, stderr } = await stage.run(['enable', 'deploy/api']);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^this user may not see whether an injector is installed/);
    expect(patches()).toHaveLength(1);
  });

  it('names the right that is missing', async () => {
    serving([deployment()], ({ method }) => (method === 'PATCH' ? forbid('patch', 'deployments', 'apps') : undefined));
    const { code, stdout, stderr } = await stage.run(['enable', 'deploy/api']);
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
    expect(stderr).toContain("user 'jane' may not patch deployments.apps in namespace 'shop'");
    expect(stderr).toContain('--verb=patch --resource=deployments.apps');
  });

  it('of what is not there', async () => {
    const { code, stderr } = await stage.run(['enable', 'deploy/nope']);
    expect(code).toBe(1);
    expect(stderr).toBe("there is no deployment/nope in namespace 'shop'; kubectl get deployments -n shop\n");
  });

  it('of a paused Deployment says how it goes on, and with --wait fails', async () => {
    serving([deployment({ spec: { paused: true } })]);
    const { code, stderr } = await stage.run(['enable', 'deploy/api']);
    expect(code).toBe(0);
    expect(stderr).toContain(
      'its rollout is paused; to replace its pods: kubectl rollout resume deployment/api -n shop',
    );
    const waited = await stage.run(['enable', 'deploy/api', '--wait']);
    expect(waited.code).toBe(1);
    expect(waited.stderr).toContain('its rollout is paused; kubectl rollout resume deployment/api -n shop');
  });

  it.each([
    ['job/once', /immutable/],
    ['svc/api', /has no pod template/],
    ['4711', /is no workload/],
  ])('of %s is refused before anything is asked', async (target, message) => {
    const { code, stderr } = await stage.run(['enable', target]);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(stage.asked).toEqual([]);
  });

  it('of a pod names the workload that it belongs to', async () => {
    const ownerReferences = [{ kind: 'ReplicaSet', name: 'api-7d9f', controller: true }];
    stage.rest = ({ path: at }) => {
      if (at.endsWith('/pods/api-7d9f-x')) return json({ metadata: { name: 'api-7d9f-x', ownerReferences } });
      if (at.endsWith('/replicasets/api-7d9f'))
        return json({
          metadata: { name: 'api-7d9f', ownerReferences: [{ kind: 'Deployment', name: 'api', controller: true }] },
        });
      return at.endsWith('/pods/alone') ? json({ metadata: { name: 'alone' } }) : undefined;
    };
    const owned = await stage.run(['enable', 'pod/api-7d9f-x']);
    expect(owned.code).toBe(2);
    expect(owned.stderr).toMatch(
      /when it is created, from the template of deploy\/api; kubectl nodeops enable deploy\/api -n shop\n$/,
    );
    const alone = await stage.run(['enable', 'alone']);
    expect(alone.code).toBe(2);
    expect(alone.stderr).toContain('no workload made this one');
  });
});

describe('waiting', () => {
  it('tells each step once, and ends when the new pods are ready', async () => {
    const rolling = (status: object) => deployment({ annotations: { 'nodeops.dev/inject': 'true' }, status });
    serving([deployment(), rolling({ updatedReplicas: 1 }), rolling({ updatedReplicas: 1 }), rolling({})]);
    const { code, stderr } = await stage.run(['enable', 'deploy/api', '--wait']);
    expect(code).toBe(0);
    expect(stderr).toBe('deployment/api: 1 of 2 pods are new\ndeployment/api: 2 of 2 pods are new and ready\n');
  });

  it.each([
    [{ 'nodeops.dev/injected': 'app' }, ''],
    [{}, 'its pods carry no agent; see kubectl nodeops doctor deployment/api -n shop\n'],
    [
      { 'nodeops.dev/skipped': 'app: envFrom may set NODE_OPTIONS' },
      'its pods carry no agent: app: envFrom may set NODE_OPTIONS; see kubectl nodeops doctor deployment/api -n shop\n',
    ],
    [
      { 'nodeops.dev/injected': 'app', 'nodeops.dev/skipped': 'x: the pod has no such container' },
      'something was left alone: x: the pod has no such container; see kubectl nodeops doctor deployment/api -n shop\n',
    ],
  ])('tells what the injector made of the new pods: %j', async (annotations, told) => {
    const pod = (name: string, more: object) => ({
      metadata: { name, namespace: 'shop', annotations: { 'nodeops.dev/inject': 'true' }, ...more },
    });
    const old = pod('api-old', { deletionTimestamp: '2026-06-01T00:00:00Z' });
    const fresh = pod('api-new', { annotations: { 'nodeops.dev/inject': 'true', ...annotations } });
    serving([deployment()], ({ path: at }) => (at.endsWith('/pods') ? list(old, fresh) : undefined));
    const { code, stderr } = await stage.run(['enable', 'deploy/api', '--wait']);
    expect(code).toBe(0);
    expect(stderr.replace('deployment/api: 2 of 2 pods are new and ready\n', '')).toBe(
      told && `deployment/api: ${told}`,
    );
  });

  it('ends when the progress deadline is exceeded, with what the pods say', async () => {
    const conditions = [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }];
    const waiting = { reason: 'ImagePullBackOff', message: 'no such image' };
    const pod = {
      metadata: { name: 'api-x', namespace: 'shop' },
      status: { phase: 'Pending', containerStatuses: [{ name: 'app', state: { waiting } }] },
    };
    serving([deployment({ status: { updatedReplicas: 1, conditions } })], ({ path: at }) =>
      at.endsWith('/pods') ? list(pod) : undefined,
    );
    const { code, stderr } = await stage.run(['enable', 'deploy/api', '--wait']);
    expect(code).toBe(1);
    expect(stderr).toContain("its progress deadline is exceeded; pod 'api-x'");
    expect(stderr).toContain('ImagePullBackOff (no such image)');
    expect(stderr).toContain('kubectl rollout undo deployment/api -n shop');
  });

  it('ends after --timeout', async () => {
    serving([deployment({ status: { updatedReplicas: 1 } })]);
    const { code, stderr } = await stage.run(['enable', 'deploy/api', '--wait', '--timeout', '1s']);
    expect(code).toBe(1);
    expect(stderr).toContain('deployment/api is not rolled out after 1 s: 1 of 2 pods are new');
  });

  it('ends when interrupted, and says that the rollout goes on', async () => {
    serving([deployment({ status: { updatedReplicas: 1 } })]);
    const interrupt = new AbortController();
    const running = stage.run(['enable', 'deploy/api', '--wait'], { signal: interrupt.signal });
    while (patches().length === 0 || stage.asked.at(-1)?.method !== 'GET')
      await new Promise((done) => setTimeout(done, 20));
    await new Promise((done) => setTimeout(done, 100));
    interrupt.abort();
    const { code, stderr } = await running;
    expect(code).toBe(130);
    expect(stderr).toContain('the rollout of deployment/api goes on');
  });
});

describe('disable', () => {
  it('takes the annotations away', async () => {
    serving([deployment({ annotations: { 'nodeops.dev/inject': 'true', 'nodeops.dev/port': '9100', other: 'x' } })]);
    const { code, stdout } = await stage.run(['disable', 'deploy/api']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'deployment/api disabled\n' });
    expect(patches()[0]?.body.spec.template.metadata.annotations).toEqual({
      'nodeops.dev/inject': null,
      'nodeops.dev/port': null,
    });
  });

  it('does nothing where there are none, though no injector is installed', async () => {
    serving([deployment()]);
    chart = () => undefined;
    const { code, stdout } = await stage.run(['disable', 'deploy/api']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'deployment/api is already disabled\n' });
  });

  it('writes a no where the namespace asks for all its pods', async () => {
    serving([deployment()], ({ path: at }) =>
      at === '/api/v1/namespaces/shop'
        ? json({ metadata: { name: 'shop', labels: { 'nodeops.dev/inject': 'true' } } })
        : undefined,
    );
    const { stdout } = await stage.run(['disable', 'deploy/api', '--dry-run', 'client']);
    expect(parse(stdout).spec.template.metadata.annotations).toEqual({ 'nodeops.dev/inject': 'false' });
  });
});
