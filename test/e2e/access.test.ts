/** Who may, and what they are told who may not. */
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Accounts, openAccounts } from './accounts.ts';
import { type Bed, openBed } from './bed.ts';
import { container, healthy, pod } from './pods.ts';

let bed: Bed;
let accounts: Accounts;

beforeAll(async () => {
  bed = await openBed();
  accounts = await openAccounts(bed);
  await bed.create(pod('api-0', [container(bed, { script: healthy })]));
  await bed.ready('api-0');
  await bed.answering(1, 'api-0');
});
afterAll(async () => {
  await bed?.close();
  await accounts?.close();
});

async function failing(kubeconfig: string, args: string[] = ['stats', 'pod/api-0']) {
  const result = await bed.nodeops(args, { kubeconfig });
  expect(result.stdout).toBe('');
  expect(result.stderr.trimEnd().split('\n')).toHaveLength(1);
  return result;
}

describe('rights', () => {
  it('get pods, and get and create pods/portforward, are enough', async () => {
    const kubeconfig = await accounts.create('enough', [
      { apiGroups: [''], resources: ['pods'], verbs: ['get'] },
      { apiGroups: [''], resources: ['pods/portforward'], verbs: ['get', 'create'] },
    ]);
    const { code, stdout, stderr } = await bed.nodeops(['stats', 'pod/api-0'], { kubeconfig });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('uptime:');
  });

  it('without any, the user, the verb and the resource are named', async () => {
    const { code, stderr } = await failing(await accounts.create('nobody', []));
    expect(code).toBe(4);
    expect(stderr).toContain(`system:serviceaccount:${bed.namespace}:nobody`);
    expect(stderr).toMatch(/get.*pods\/portforward/);
  });

  it('with get but not create of pods/portforward, create is named although the API server names nothing', async () => {
    const kubeconfig = await accounts.create('getonly', [
      { apiGroups: [''], resources: ['pods', 'pods/portforward'], verbs: ['get'] },
    ]);
    const { code, stderr } = await failing(kubeconfig);
    expect(code).toBe(4);
    expect(stderr).toMatch(/create.*pods\/portforward/);
  });
});

describe('credentials', () => {
  it('a token that the server does not know', async () => {
    const { code, stderr } = await failing(await accounts.withToken('bad', 'bad'));
    expect(code).toBe(4);
    expect(stderr).toMatch(/credentials|token/i);
  });

  it('none', async () => {
    const kubeconfig = await accounts.kubeconfigWith('none', (config) => {
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
    const kubeconfig = await accounts.kubeconfigWith('refused', (config) => {
      config.clusters[0]!.cluster.server = 'https://127.0.0.1:1';
    });
    const { code, stderr } = await failing(kubeconfig);
    expect(code).toBe(5);
    expect(stderr).toContain('127.0.0.1:1');
  });

  it('has a name that does not resolve', async () => {
    const kubeconfig = await accounts.kubeconfigWith('unresolved', (config) => {
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
    const kubeconfig = await accounts.kubeconfigWith('silent', (config) => {
      config.clusters[0]!.cluster.server = `https://127.0.0.1:${port}`;
    });
    const { code, stderr } = await failing(kubeconfig, ['stats', 'pod/api-0', '--timeout', '3s']);
    silent.close();
    expect(code).toBe(5);
    expect(stderr).toContain(String(port));
  });

  it('has a certificate of another authority', async () => {
    const kubeconfig = await accounts.kubeconfigWith('untrusted', (config) => {
      config.clusters[0]!.cluster = { server: config.clusters[0]!.cluster.server };
    });
    const { code, stderr } = await failing(kubeconfig);
    expect(code).toBe(5);
    expect(stderr).toMatch(/certificate/);
  });
});

describe("the agent's token", () => {
  it('is asked for, and taken from NODEOPS_TOKEN or a file', async () => {
    await bed.create(pod('token-0', [container(bed, { script: healthy, env: { NODEOPS_TOKEN: 'open-sesame' } })]));
    await bed.ready('token-0');
    await vi.waitFor(async () => expect((await bed.nodeops(['version', 'token-0'])).code).toBe(4), {
      timeout: 50_000,
      interval: 200,
    });
    const { stderr } = await failing(bed.kubeconfig, ['version', 'token-0']);
    expect(stderr).toMatch(/asks for a token; give it with --agent-token-file FILE or NODEOPS_TOKEN/);
    expect((await bed.nodeops(['version', 'token-0'], { env: { NODEOPS_TOKEN: 'wrong' } })).code).toBe(4);
    expect((await bed.nodeops(['version', 'token-0'], { env: { NODEOPS_TOKEN: 'open-sesame' } })).code).toBe(0);
    const missing = await failing(bed.kubeconfig, ['version', 'token-0', '--agent-token-file', '/nowhere']);
    expect(missing.code).toBe(2);
  });
});
