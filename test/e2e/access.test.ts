/** Who may, and what they are told who may not. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { type Bed, openBed } from './bed.ts';
import { container, healthy, pod } from './pods.ts';

let bed: Bed;
let directory: string;

interface Kubeconfig {
  clusters: { name: string; cluster: Record<string, unknown> }[];
  contexts: { name: string; context: { cluster: string; user: string } }[];
  users: { name: string; user: Record<string, unknown> }[];
  'current-context': string;
}

/** The bed's kubeconfig, changed; a path. */
async function kubeconfigWith(name: string, change: (config: Kubeconfig) => void): Promise<string> {
  const { stdout } = await bed.kubectl(['config', 'view', '--raw', '--minify', '--flatten']);
  const config = parse(stdout) as Kubeconfig;
  change(config);
  const path = join(directory, name);
  await writeFile(path, stringify(config));
  return path;
}

const asToken = (name: string, token: string) =>
  kubeconfigWith(name, (config) => {
    config.users[0]!.user = { token };
  });

async function account(name: string, rules: readonly object[]): Promise<string> {
  const metadata = { name };
  const subject = { kind: 'ServiceAccount', name, namespace: bed.namespace };
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name };
  await bed.create(
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata, rules },
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', metadata, roleRef, subjects: [subject] },
  );
  const { stdout } = await bed.kubectl(['create', 'token', name]);
  return asToken(name, stdout.trim());
}

beforeAll(async () => {
  bed = await openBed();
  directory = await mkdtemp(join(tmpdir(), 'nodeops-access-'));
  await bed.create(pod('api-0', [container(bed, { script: healthy })]));
  await bed.ready('api-0');
});
afterAll(async () => {
  await bed?.close();
  await rm(directory, { recursive: true, force: true });
});

async function failing(kubeconfig: string, args: string[] = ['stats', 'pod/api-0']) {
  const result = await bed.nodeops(args, { kubeconfig });
  expect(result.stdout).toBe('');
  expect(result.stderr.trimEnd().split('\n')).toHaveLength(1);
  return result;
}

describe('rights', () => {
  it('get pods, and get and create pods/portforward, are enough', async () => {
    const kubeconfig = await account('enough', [
      { apiGroups: [''], resources: ['pods'], verbs: ['get'] },
      { apiGroups: [''], resources: ['pods/portforward'], verbs: ['get', 'create'] },
    ]);
    const { code, stdout, stderr } = await bed.nodeops(['stats', 'pod/api-0'], { kubeconfig });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('uptime:');
  });

  it('without any, the user, the verb and the resource are named', async () => {
    const { code, stderr } = await failing(await account('nobody', []));
    expect(code).toBe(4);
    expect(stderr).toContain(`system:serviceaccount:${bed.namespace}:nobody`);
    expect(stderr).toMatch(/get.*pods\/portforward/);
  });

  it('with get but not create of pods/portforward, create is named although the API server names nothing', async () => {
    const kubeconfig = await account('getonly', [
      { apiGroups: [''], resources: ['pods', 'pods/portforward'], verbs: ['get'] },
    ]);
    const { code, stderr } = await failing(kubeconfig);
    expect(code).toBe(4);
    expect(stderr).toMatch(/create.*pods\/portforward/);
  });
});

describe('credentials', () => {
  it('a token that the server does not know', async () => {
    const { code, stderr } = await failing(await asToken('bad', 'bad'));
    expect(code).toBe(4);
    expect(stderr).toMatch(/credentials|token/i);
  });

  it('none', async () => {
    const kubeconfig = await kubeconfigWith('none', (config) => {
      config.users[0]!.user = {};
    });
    const { code, stderr } = await failing(kubeconfig);
    expect(code).toBe(4);
    expect(stderr).toMatch(/credentials/i);
  });

  it('a context that does not exist', async () => {
    const { code, stderr } = await failing(bed.kubeconfig, ['stats', 'pod/api-0', '--context', 'nope']);
    expect(code).toBe(4);
    expect(stderr).toContain('nope');
  });
});

describe('the API server', () => {
  it('refuses connections', async () => {
    const kubeconfig = await kubeconfigWith('refused', (config) => {
      config.clusters[0]!.cluster.server = 'https://127.0.0.1:1';
    });
    const { code, stderr } = await failing(kubeconfig);
    expect(code).toBe(5);
    expect(stderr).toContain('127.0.0.1:1');
  });

  it('has a name that does not resolve', async () => {
    const kubeconfig = await kubeconfigWith('unresolved', (config) => {
      config.clusters[0]!.cluster.server = 'https://api.nodeops.invalid:6443';
    });
    const { code, stderr } = await failing(kubeconfig);
    expect(code).toBe(5);
    expect(stderr).toContain('api.nodeops.invalid');
  });

  it('accepts and then says nothing', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await new Promise((done) => silent.once('listening', done));
    const { port } = silent.address() as { port: number };
    const kubeconfig = await kubeconfigWith('silent', (config) => {
      config.clusters[0]!.cluster.server = `https://127.0.0.1:${port}`;
    });
    const { code, stderr } = await failing(kubeconfig, ['stats', 'pod/api-0', '--timeout', '2s']);
    silent.close();
    expect(code).toBe(5);
    expect(stderr).toContain(String(port));
  });

  it('has a certificate of another authority', async () => {
    const kubeconfig = await kubeconfigWith('untrusted', (config) => {
      config.clusters[0]!.cluster = { server: config.clusters[0]!.cluster.server };
    });
    const { code, stderr } = await failing(kubeconfig);
    expect(code).toBe(5);
    expect(stderr).toMatch(/certificate/);
  });
});
