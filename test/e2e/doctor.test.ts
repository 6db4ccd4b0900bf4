/** The doctor over real pods: what is broken in each is found, and what is not is not. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Accounts, openAccounts } from './accounts.ts';
import { type Bed, openBed } from './bed.ts';
import { container, healthy, nativeBlock, pod } from './pods.ts';

interface Check {
  id: string;
  subject: string | null;
  status: string;
  detail: string | null;
  remedy: { say?: string; run?: string[]; yaml?: string } | null;
}

let bed: Bed;
let accounts: Accounts;

const spin = "setTimeout(() => { for (;;); }, 300); require('node:http').createServer(() => {}).listen(3000);";
const taken = `require('node:http').createServer((request, response) => {
  response.setHeader('Server', 'envoy');
  response.writeHead(404).end();
}).listen(8848, '127.0.0.1');`;

beforeAll(async () => {
  bed = await openBed();
  accounts = await openAccounts(bed);
  const { spec } = pod('web', [container(bed, { script: healthy })]) as { spec: object };
  await bed.create(
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: {
        replicas: 2,
        selector: { matchLabels: { app: 'web' } },
        template: { metadata: { labels: { app: 'web' } }, spec },
      },
    },
    pod('bare-0', [container(bed, { script: healthy, agent: false })]),
    pod('taken-0', [container(bed, { script: taken, agent: false })]),
    pod('spin-0', [container(bed, { script: spin })]),
    pod('native-0', [container(bed, { script: nativeBlock })]),
    pod('pending-0', [container(bed, { script: healthy })], { nodeSelector: { 'nodeops.test/nowhere': 'true' } }),
    pod('moved-0', [container(bed, { script: healthy, env: { NODEOPS_PORT: '9100' } })]),
  );
  await bed.ready('bare-0', 'taken-0', 'spin-0', 'native-0', 'moved-0');
  await bed.kubectl(['rollout', 'status', 'deployment/web', '--timeout=120s'], { timeoutMs: 130_000 });
  await bed.answering(2, '-l', 'app=web');
  await bed.answering(1, 'moved-0', '--port', '9100');
  const patiently = { timeout: 40_000, interval: 300 };
  const stack = async (name: string) => (await bed.nodeops(['stack', name])).stdout;
  await vi.waitFor(async () => expect(await stack('spin-0')).toContain('[running]'), patiently);
  await vi.waitFor(async () => expect(await stack('native-0')).toContain('native code'), patiently);
  // what is not our agent listens as well
  const occupied = async () => (await bed.nodeops(['version', 'taken-0'])).stderr;
  await vi.waitFor(async () => expect(await occupied()).not.toContain('nothing listens'), patiently);
}, 240_000);
afterAll(async () => {
  await accounts?.close();
  await bed?.close();
});

async function doctor(target: string[], kubeconfig = bed.kubeconfig) {
  const { code, stdout, stderr } = await bed.nodeops(['doctor', ...target, '-o', 'json'], { kubeconfig });
  expect(stderr).toBe('');
  const all = JSON.parse(stdout).checks as Check[];
  return { code, all, checks: new Map(all.map((check) => [check.id, check])) };
}

describe('the cluster', () => {
  it('lets an administrator do everything', async () => {
    const { code, checks } = await doctor([]);
    expect(code).toBe(0);
    for (const id of ['kubeconfig', 'context', 'credentials', 'server', 'user', 'clock', 'namespace', 'rights.enable'])
      expect(checks.get(id)).toMatchObject({ id, status: 'ok' });
  });

  it('lets an account without rights do nothing, each with the commands that grant it', async () => {
    const { code, all } = await doctor([], await accounts.create('nobody', []));
    expect(code).toBe(1);
    const rights = all.filter(({ id }) => id.startsWith('rights.'));
    expect(rights.map(({ status }) => status).sort()).toEqual(['fail', ...new Array(6).fill('warn')]);
    for (const { remedy } of rights)
      expect(remedy?.run?.[1]).toContain(`--serviceaccount=${bed.namespace}:nobody -n ${bed.namespace}`);
  });

  it('grants a right by the very commands that are printed', async () => {
    const kubeconfig = await accounts.create('listless', [
      { apiGroups: [''], resources: ['pods'], verbs: ['get'] },
      { apiGroups: [''], resources: ['pods/portforward'], verbs: ['get', 'create'] },
    ]);
    const before = await doctor([], kubeconfig);
    const commands = before.checks.get('rights.list-pods')?.remedy?.run ?? [];
    expect(commands).toHaveLength(2);
    for (const command of commands) {
      const { code, stderr } = await bed.kubectl(command.split(' ').slice(1));
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    }
    await accounts.until(kubeconfig, 'list', 'pods');
    const after = await doctor([], kubeconfig);
    expect(after.checks.get('rights.list-pods')?.status).toBe('ok');
  });

  it('does not accept a wrong token, which is not printed', async () => {
    const kubeconfig = await accounts.withToken('wrong', 'wrong-token-of-nobody');
    const { code, all, checks } = await doctor(['pod/bare-0'], kubeconfig);
    expect(code).toBe(1);
    expect(checks.get('user')?.status).toBe('fail');
    expect(checks.get('agent')).toMatchObject({ status: 'skip', detail: 'needs: user' });
    expect(JSON.stringify(all)).not.toContain('wrong-token-of-nobody');
  });
});

describe('pods', () => {
  it('of a Deployment with an agent are well', async () => {
    const { code, all } = await doctor(['deploy/web']);
    expect(code).toBe(0);
    const agents = all.filter(({ id }) => id === 'agent');
    expect(agents.map(({ status }) => status)).toEqual(['ok', 'ok']);
    expect(new Set(agents.map(({ subject }) => subject)).size).toBe(2);
    expect(all.filter(({ id }) => id === 'event-loop').every(({ status }) => status === 'ok')).toBe(true);
  });

  it('without an agent say so, and that no network policy is the reason', async () => {
    const { code, checks } = await doctor(['pod/bare-0']);
    expect(code).toBe(1);
    expect(checks.get('agent')?.status).toBe('fail');
    expect(checks.get('agent')?.detail).toMatch(/nothing listens on port 8848.*network policies are not the reason/);
    expect(checks.get('agent')?.remedy?.say).toContain('--attach=exec');
  });

  it('whose port another program has name that program', async () => {
    const { checks } = await doctor(['pod/taken-0']);
    expect(checks.get('agent')?.status).toBe('fail');
    expect(checks.get('agent')?.detail).toMatch(/^the port is taken: .*'envoy'/);
  });

  it('that are blocked are warned of, those stuck in native code fail', async () => {
    const spinning = await doctor(['spin-0']);
    expect(spinning.checks.get('event-loop')).toMatchObject({ status: 'warn' });
    expect(spinning.checks.get('event-loop')?.remedy?.run?.[0]).toBe(
      `kubectl nodeops stack pod/spin-0 -n ${bed.namespace}`,
    );
    const native = await doctor(['native-0']);
    expect(native.code).toBe(1);
    expect(native.checks.get('event-loop')?.detail).toContain('stuck in native code');
  });

  it('that do not run say why', async () => {
    const { code, checks } = await doctor(['pending-0']);
    expect(code).toBe(1);
    expect(checks.get('pod.running')?.detail).toContain('is pending');
    expect(checks.get('agent')).toMatchObject({ status: 'skip', detail: 'needs: pod runs' });
  });

  it('with a port of their own are asked there', async () => {
    const { code, checks } = await doctor(['moved-0']);
    expect(code).toBe(0);
    expect(checks.get('pod.port')?.detail).toBe('9100: commands need --port 9100');
    expect(checks.get('agent')?.status).toBe('ok');
  });
});
