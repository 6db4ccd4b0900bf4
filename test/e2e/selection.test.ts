/** Many pods at once: a Deployment with one blocked, one pending, one without agent; namespaces that may not be looked into. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Accounts, openAccounts } from './accounts.ts';
import { type Bed, openBed } from './bed.ts';
import { container, healthy, pod } from './pods.ts';

let bed: Bed;
let accounts: Accounts;
const replicas = 20;

/** Serves; the pod told so by its name's hash blocks. Which one is known from the outside only by asking. */
const workload = (kind: string, name: string, count: number, script: string) => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name },
  spec: {
    replicas: count,
    serviceName: name,
    selector: { matchLabels: { tier: name } },
    template: {
      metadata: { labels: { tier: name, app: 'api' } },
      spec: (pod(name, [container(bed, { script })]) as { spec: object }).spec,
    },
  },
});

const waiting = 'setInterval(() => {}, 1000)';

/** A cluster forks its own file: `-e` has none. */
const clusterOfFour = `
  const { writeFileSync } = require('node:fs');
  writeFileSync('/tmp/cluster.cjs', \`
    const cluster = require('node:cluster');
    if (cluster.isPrimary) for (let i = 0; i < 4; i++) cluster.fork();
    else require('node:http').createServer(() => {}).listen(3000);
  \`);
  process.argv[1] = '/tmp/cluster.cjs';
  process.execArgv = [];
  require('/tmp/cluster.cjs');
`;

beforeAll(async () => {
  bed = await openBed();
  accounts = await openAccounts(bed);
  await bed.create(
    workload('Deployment', 'api', replicas, healthy),
    pod(
      'blocked-0',
      [
        container(bed, {
          script: "setTimeout(function spin() { require('node:os').setPriority(19); for (;;) {} }, 300)",
        }),
      ],
      {},
      { app: 'api' },
    ),
    pod('bare-0', [container(bed, { script: healthy, agent: false })], {}, { app: 'api' }),
    pod(
      'pending-0',
      [container(bed, { script: healthy })],
      { nodeSelector: { 'nodeops.test/nowhere': 'true' } },
      { app: 'api' },
    ),
    pod('two-0', [container(bed, { name: 'web', script: healthy }), container(bed, { name: 'jobs', script: waiting })]),
    pod('cluster-0', [container(bed, { script: clusterOfFour })]),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'api' },
      spec: { selector: { tier: 'api' }, ports: [{ port: 80 }] },
    },
  );
  const { code, stderr } = await bed.kubectl(['rollout', 'status', 'deployment/api', '--timeout=180s'], {
    timeoutMs: 190_000,
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  await bed.ready('blocked-0', 'bare-0', 'two-0', 'cluster-0');
  // a pod is ready when its process runs; its agent listens a moment later
  const patiently = { timeout: 120_000, interval: 200 };
  const all = async () => {
    const { code, stderr } = await bed.nodeops(['version', '-l', 'tier=api']);
    expect(code, stderr).toBe(0);
  };
  await vi.waitFor(all, patiently);
  await vi.waitFor(async () => expect(await processesOf('cluster-0')).toHaveLength(5), patiently);
  await vi.waitFor(async () => expect(await processesOf('two-0')).toHaveLength(2), patiently);
}, 360_000);
afterAll(async () => {
  await accounts?.close();
  await bed?.close();
});

const items = (stdout: string) =>
  JSON.parse(stdout).items as { target: { pod: string }; error?: { code: string }; data?: never }[];

async function processesOf(name: string): Promise<{ container: string }[]> {
  const { code, stdout } = await bed.nodeops(['list', name, '-o', 'json']);
  return code === 0 ? JSON.parse(stdout).data.processes : [];
}

describe('a selection', () => {
  it.each([['deploy/api'], ['svc/api'], ['-l', 'tier=api'], ['-l', 'tier in (api)']])(
    '%s %s is its pods',
    async (...args) => {
      const { code, stdout, stderr } = await bed.nodeops(['version', ...args.filter(Boolean), '-o', 'json']);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const pods = items(stdout).map(({ target }) => target.pod);
      expect(pods).toHaveLength(replicas);
      expect(pods).toEqual([...pods].sort((a, b) => a.localeCompare(b, 'en', { numeric: true })));
    },
  );

  it.each([
    [['pod/two-0', '-l', 'app=api'], 2, /a target is named and -l app=api selects others/],
    [['deploy/api', '-A'], 2, /-A asks for all namespaces/],
    [['-l', 'a b'], 1, /does not understand -l 'a b': unable to parse requirement/],
    [['two-0', '-c', 'no.*'], 1, /no process of pod\/two-0 matches -c 'no\.\*'/],
    [['two-0', '--all-processes', '--pid', '4711'], 1, /no process of pod\/two-0 matches --pid 4711/],
    [['two-0', '--pid', '4711'], 1, /pod 'two-0' in namespace .* there is no process '4711' here/],
    [['deploy/api', '-l', 'tier=web'], 1, /no running pod matches deployment\/api -l tier=web in namespace/],
  ])('that makes no sense or has nothing, %j, is said with exit code %i', async (args, exit, said) => {
    const { code, stdout, stderr } = await bed.nodeops(['version', ...args, '-o', 'name']);
    expect({ code, stdout }).toEqual({ code: exit, stdout: '' });
    expect(stderr).toMatch(said);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  it('can be typed as KIND NAME', async () => {
    const { code, stdout } = await bed.nodeops(['list', 'pod', 'two-0', 'cluster-0', '-o', 'name']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'pod/two-0\npod/cluster-0\n' });
  });

  it('is a table, with what failed listed at the end and exit code 3', async () => {
    const { code, stdout, stderr } = await bed.nodeops(['stats', '-l', 'app=api']);
    expect(code).toBe(3);
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^TARGET +PROCESS +CPU +LOOP +DELAY-P99/);
    expect(lines).toHaveLength(1 + replicas + 1);
    expect(
      lines.find((line) => line.startsWith('blocked-0')),
      stdout,
    ).toMatch(/ 100\.0%! /);
    const failures = stderr.trimEnd().split('\n');
    expect(failures).toHaveLength(2);
    expect(stderr).toMatch(/nothing listens on port 8848 of pod 'bare-0'/);
    expect(stderr).toMatch(/pod 'pending-0' .*is pending/);
  });

  it('is a list of documents, failures among them, in a stable order', async () => {
    const { stdout } = await bed.nodeops(['stack', '-l', 'app=api', '-o', 'json']);
    const answers = items(stdout);
    expect(answers).toHaveLength(replicas + 3);
    expect(answers.filter(({ error }) => error).map(({ target, error }) => [target.pod, error?.code])).toEqual([
      ['bare-0', 'no-agent'],
      ['pending-0', 'pod-not-running'],
    ]);
  });

  it('that matches nothing says what was asked, and exits 1', async () => {
    const { code, stdout, stderr } = await bed.nodeops(['stats', '-l', 'app=nope']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('-l app=nope');
    expect((await bed.nodeops(['stats', 'deploy/nope'])).stderr).toContain("no deployment 'nope'");
    expect((await bed.nodeops(['stats', '-l', 'app in ('])).code).toBe(1);
  });

  it('of several targets asks each once', async () => {
    const { stdout } = await bed.nodeops([
      'version',
      'blocked-0',
      'pod/two-0',
      'pod/blocked-0',
      '-c',
      'app|web',
      '-o',
      'json',
    ]);
    expect(items(stdout).map(({ target }) => target.pod)).toEqual(['blocked-0', 'two-0']);
  });
});

describe('processes', () => {
  it('of a cluster and of several containers are all behind one leader', async () => {
    expect(await processesOf('cluster-0')).toHaveLength(5);
    const containers = (await processesOf('two-0')).map(({ container }) => container);
    expect(containers.sort()).toEqual(['jobs', 'web']);
  });

  it('are asked one by one with --all-processes', async () => {
    const { code, stdout, stderr } = await bed.nodeops([
      'stats',
      'cluster-0',
      'two-0',
      '--all-processes',
      '-o',
      'json',
    ]);
    expect(code, stderr).toBe(0);
    expect(items(stdout)).toHaveLength(7);
  });

  it('of one container are asked one by one with -c and --all-processes', async () => {
    const { stdout } = await bed.nodeops(['version', 'two-0', '-c', 'web', '--all-processes', '-o', 'json']);
    expect(items(stdout)).toHaveLength(1);
  });

  it('of a container chosen by a regular expression', async () => {
    const { stdout } = await bed.nodeops(['version', 'two-0', '-c', 'jo.*', '-o', 'json']);
    expect(items(stdout)).toHaveLength(1);
  });
});

describe('all namespaces', () => {
  it('are looked through, and one that is forbidden is reported and skipped', async () => {
    const name = `${bed.namespace}-watcher`;
    const kubeconfig = await accounts.create('watcher', [
      { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] },
      { apiGroups: [''], resources: ['pods/portforward'], verbs: ['get', 'create'] },
    ]);
    const namespaces = { apiGroups: [''], resources: ['namespaces'], verbs: ['list'] };
    const group = 'rbac.authorization.k8s.io';
    const subjects = [{ kind: 'ServiceAccount', name: 'watcher', namespace: bed.namespace }];
    const roleRef = { apiGroup: group, kind: 'ClusterRole', name };
    await bed.create(
      { apiVersion: `${group}/v1`, kind: 'ClusterRole', metadata: { name }, rules: [namespaces] },
      { apiVersion: `${group}/v1`, kind: 'ClusterRoleBinding', metadata: { name }, roleRef, subjects },
    );
    try {
      await accounts.until(kubeconfig, 'list', 'namespaces');
      const args = ['version', '-A', '-l', 'tier=api', '-o', 'json'];
      const { code, stdout, stderr } = await bed.nodeops(args, { kubeconfig });
      expect(code).toBe(3);
      expect(items(stdout)).toHaveLength(replicas);
      expect(stderr).toMatch(
        /^skipped namespace kube-system: .*may not list pods|^skipped namespace kube-system: .*forbid/m,
      );
    } finally {
      await bed.kubectl(['delete', 'clusterrole,clusterrolebinding', name]);
    }
  });
});

describe('top', () => {
  it('prints one table with --once, the busiest first', async () => {
    const { code, stdout } = await bed.nodeops(['top', 'deploy/api', 'blocked-0', '--once']);
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(replicas + 2);
    expect(lines[1]).toMatch(/^blocked-0 app\/1 /);
  });
});
