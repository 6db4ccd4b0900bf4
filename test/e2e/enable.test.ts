/** enable and disable on real workloads: the template changes, the pods are replaced, the wait ends. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Accounts, openAccounts } from './accounts.ts';
import { type Bed, openBed } from './bed.ts';
import { container, healthy, pod } from './pods.ts';

let bed: Bed;
let accounts: Accounts;

function workload(kind: string, name: string, replicas: number): object {
  const { spec } = pod(name, [container(bed, { script: healthy, agent: false })]) as { spec: object };
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name },
    spec: {
      ...(kind === 'DaemonSet' ? {} : { replicas }),
      ...(kind === 'StatefulSet' ? { serviceName: name } : {}),
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec },
    },
  };
}

beforeAll(async () => {
  bed = await openBed();
  accounts = await openAccounts(bed);
  await bed.create(
    workload('Deployment', 'web', 2),
    workload('StatefulSet', 'db', 2),
    workload('Deployment', 'held', 1),
  );
  for (const name of ['deployment/web', 'statefulset/db', 'deployment/held'])
    await bed.kubectl(['rollout', 'status', name, '--timeout=120s'], { timeoutMs: 130_000 });
}, 360_000);
afterAll(async () => {
  await accounts?.close();
  await bed?.close();
});

const annotations = async (name: string): Promise<Record<string, string>> => {
  const { stdout } = await bed.kubectl(['get', name, '-o', 'jsonpath={.spec.template.metadata.annotations}']);
  return stdout === '' ? {} : JSON.parse(stdout);
};
/** Uids of its pods; a rollout is done while the last old ones are still ending. */
const podsOf = async (app: string): Promise<string[]> => {
  const { stdout } = await bed.kubectl(['get', 'pods', '-l', `app=${app}`, '-o', 'json']);
  const { items } = JSON.parse(stdout) as { items: { metadata: { uid: string; deletionTimestamp?: string } }[] };
  return items.flatMap(({ metadata }) => (metadata.deletionTimestamp ? [] : [metadata.uid])).sort();
};

// what is forced does not depend on whether the cluster has an injector
describe('enable', () => {
  it.each([
    ['Deployment', 'deploy/web', 'deployment/web', 'web'],
    ['StatefulSet', 'sts/db', 'statefulset/db', 'db'],
  ])('of a %s replaces its pods, and waits for the new ones', async (_, target, name, app) => {
    const before = await podsOf(app);
    const result = await bed.nodeops(['enable', target, '--force', '--wait', '--timeout', '90s'], {
      timeoutMs: 100_000,
    });
    expect({ code: result.code, stdout: result.stdout }).toEqual({ code: 0, stdout: `${name} enabled\n` });
    expect(result.stderr).toContain(`${name}: 2 of 2 pods are new and ready\n`);
    expect(await annotations(name)).toEqual({ 'nodeops.dev/inject': 'true' });
    const after = await podsOf(app);
    expect(after.length).toBeGreaterThanOrEqual(2);
    expect(after.filter((uid) => before.includes(uid))).toEqual([]);

    const again = await bed.nodeops(['enable', target, '--force']);
    expect({ code: again.code, stdout: again.stdout }).toEqual({ code: 0, stdout: `${name} is already enabled\n` });
    expect(await podsOf(app)).toEqual(after);

    const off = await bed.nodeops(['disable', target, '--wait', '--timeout', '90s'], { timeoutMs: 100_000 });
    expect({ code: off.code, stdout: off.stdout }).toEqual({ code: 0, stdout: `${name} disabled\n` });
    expect(await annotations(name)).toEqual({});
  });

  it('with --dry-run changes nothing; the client prints the patch that kubectl takes', async () => {
    const server = await bed.nodeops(['enable', 'deploy/held', '--force', '--dry-run', 'server']);
    expect({ code: server.code, stdout: server.stdout }).toEqual({
      code: 0,
      stdout: 'deployment/held enabled (server dry run)\n',
    });
    const client = await bed.nodeops(['enable', 'deploy/held', '--port', '9100', '--dry-run', 'client']);
    expect(client.code).toBe(0);
    expect(await annotations('deployment/held')).toEqual({});
    const patched = await bed.kubectl(['patch', 'deployment', 'held', '--patch', client.stdout]);
    expect({ code: patched.code, stderr: patched.stderr }).toEqual({ code: 0, stderr: '' });
    expect(await annotations('deployment/held')).toEqual({ 'nodeops.dev/inject': 'true', 'nodeops.dev/port': '9100' });
  });

  it('of a pod names its workload', async () => {
    const { stdout } = await bed.kubectl(['get', 'pods', '-l', 'app=held', '-o', 'json']);
    // the patch before this has replaced pods, some of which may still be ending
    const { items }: { items: { metadata: { name: string; deletionTimestamp?: string } }[] } = JSON.parse(stdout);
    const pod = items.find(({ metadata }) => !metadata.deletionTimestamp);
    const { code, stderr } = await bed.nodeops(['enable', `pod/${pod?.metadata.name}`]);
    expect(code).toBe(2);
    expect(stderr).toContain(`kubectl nodeops enable deploy/held -n ${bed.namespace}`);
  });

  it('without the right to patch names it', async () => {
    const kubeconfig = await accounts.create('reader', [
      { apiGroups: ['apps'], resources: ['deployments'], verbs: ['get'] },
    ]);
    const { code, stdout, stderr } = await bed.nodeops(['enable', 'deploy/web', '--force'], { kubeconfig });
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
    expect(stderr).toMatch(/may not patch deployments\.apps/);
  });

  it('of what is not there', async () => {
    const { code, stderr } = await bed.nodeops(['enable', 'deploy/nope', '--force']);
    expect(code).toBe(1);
    expect(stderr).toContain('there is no deployment/nope');
  });
});
