/** Starting, disturbing and ending a cluster; nothing of it may stay. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { Json } from './api/types.ts';
import { type Client, openClient } from './client.ts';
import { type Cluster, type ClusterOptions, startCluster } from './cluster.ts';
import { type Conversation, converse } from './conversation.ts';

const podsPath = '/api/v1/namespaces/default/pods';
const clusters: Cluster[] = [];
afterEach(async () => {
  for (const cluster of clusters.splice(0)) await cluster.stop();
});

async function open(options?: ClusterOptions): Promise<{ cluster: Cluster; admin: Client }> {
  const cluster = await startCluster(options);
  clusters.push(cluster);
  return { cluster, admin: openClient(cluster.kubeconfig) };
}

const serve = "require('http').createServer((q, s) => s.end('hi')).listen(8848, '127.0.0.1', () => console.log('up'))";
const app = (name: string, script = serve, more: Json = {}) => ({
  metadata: { name },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: [{ name: 'app', image: 'nodeops.test/distroless:24', args: ['-e', script], ...more }],
  },
});

async function startPod(admin: Client, pod: Json): Promise<void> {
  const { name } = pod.metadata;
  await admin.create(podsPath, pod);
  await admin.until(`${podsPath}/${name}`, ({ status }) => status.phase === 'Running');
  await admin.until(`${podsPath}/${name}/log?tailLines=1`, (body) => body === 'up\n');
}

/** A forwarded connection that has carried an answer, so that it is known to stand. */
async function connected(admin: Client, pod: string): Promise<Conversation> {
  const forward = await converse(admin, `${podsPath}/${pod}/portforward?ports=8848`, ['v4.channel.k8s.io']);
  forward.send(Buffer.from('\0GET / HTTP/1.1\r\nHost: pod\r\n\r\n'));
  await forward.frameCount(3);
  return forward;
}

/** Inodes of the namespaces that processes with this text in their command line live in. */
function namespacesOf(marker: string): Set<string> {
  const found = new Set<string>();
  for (const pid of processesWith(marker))
    for (const kind of ['net', 'pid', 'mnt']) {
      try {
        found.add(readlinkSync(`/proc/${pid}/ns/${kind}`));
      } catch {
        // one that has ended, or another user's
      }
    }
  for (const kind of ['net', 'pid', 'mnt']) found.delete(readlinkSync(`/proc/self/ns/${kind}`));
  return found;
}

function allProcesses(): string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
}

function processesWith(marker: string): string[] {
  return allProcesses().filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(marker);
    } catch {
      return false;
    }
  });
}

/** A process's number and start, which no other has had. */
function identityOf(pid: string): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return `${pid} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}`;
  } catch {
    return `${pid} ended`;
  }
}

function processesIn(namespaces: ReadonlySet<string>): string[] {
  return allProcesses().filter((pid) => {
    try {
      return ['net', 'pid', 'mnt'].some((kind) => namespaces.has(readlinkSync(`/proc/${pid}/ns/${kind}`)));
    } catch {
      return false;
    }
  });
}

function cgroupsNamed(name: string): string[] {
  const look = (directory: string, depth: number): string[] => {
    let entries: string[];
    try {
      entries = readdirSync(directory, { withFileTypes: true })
        .filter((e) => e.isDirectory())
        .map((e) => e.name);
    } catch {
      return [];
    }
    const here = entries.filter((entry) => entry === name).map((entry) => join(directory, entry));
    return [...here, ...(depth > 0 ? entries.flatMap((entry) => look(join(directory, entry), depth - 1)) : [])];
  };
  return look('/sys/fs/cgroup', 4);
}

describe('nothing stays', () => {
  it('after stop(), with pods of every kind running', async () => {
    const marker = `marker${process.pid}a`;
    const { cluster, admin } = await open();
    const directory = join(cluster.kubeconfig, '..');
    await startPod(admin, app('plain', `/* ${marker} */ ${serve}`));
    await startPod(admin, {
      ...app('shared', `/* ${marker} */ ${serve}`),
      spec: { ...app('shared', `/* ${marker} */ ${serve}`).spec, shareProcessNamespace: true },
    });
    const children = `/* ${marker} */ require('child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e3)//${marker}'], { detached: true }); ${serve}`;
    await startPod(admin, app('parent', children, { resources: { limits: { memory: '256Mi', cpu: '500m' } } }));
    const forward = await converse(admin, `${podsPath}/plain/portforward?ports=8848`, ['v4.channel.k8s.io']);
    await forward.frameCount(2);
    const namespaces = namespacesOf(marker);
    // each pod a network; each container a mount namespace; and their pid namespaces
    expect(namespaces.size).toBeGreaterThanOrEqual(9);
    expect(processesWith(marker).length).toBeGreaterThanOrEqual(4);
    const inside = new Set(processesIn(namespaces).map(identityOf));
    await cluster.stop();
    expect(processesWith(marker)).toEqual([]);
    // by name: the kernel gives the number of a namespace that is gone to the next one, another test's perhaps
    expect(allProcesses().filter((pid) => inside.has(identityOf(pid)))).toEqual([]);
    expect(existsSync(directory)).toBe(false);
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(directory);
    expect(cgroupsNamed(directory.split('/').at(-1)!)).toEqual([]);
    await cluster.stop();
  });

  it('after SIGKILL of the process that started it', async () => {
    const marker = `marker${process.pid}b`;
    const parent = mkdtempSync(join(tmpdir(), 'nodeops-parent-'));
    const directory = join(parent, `cluster-${marker}`);
    const script = join(parent, 'start.ts');
    const module = new URL('./cluster.ts', import.meta.url).href;
    writeFileSync(
      script,
      `import { startCluster } from '${module}'; const cluster = await startCluster({ directory: '${directory}' }); console.log(cluster.kubeconfig); setInterval(() => {}, 1000);`,
    );
    const child: ChildProcess = spawn(process.execPath, ['--no-warnings', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const kubeconfig = String(((await once(child.stdout!, 'data')) as [Buffer])[0]).trim();
    const admin = openClient(kubeconfig);
    await startPod(admin, app('plain', `/* ${marker} */ ${serve}`, { resources: { limits: { memory: '256Mi' } } }));
    const forward = await converse(admin, `${podsPath}/plain/portforward?ports=8848`, ['v4.channel.k8s.io']);
    await forward.frameCount(2);
    const namespaces = namespacesOf(marker);
    expect(namespaces.size).toBeGreaterThanOrEqual(3);
    child.kill('SIGKILL');
    await forward.closed;
    await expect.poll(() => processesIn(namespaces), { timeout: 20_000 }).toEqual([]);
    await expect.poll(() => processesWith(marker), { timeout: 20_000 }).toEqual([]);
    await expect.poll(() => existsSync(directory), { timeout: 20_000 }).toBe(false);
    await expect.poll(() => cgroupsNamed(`cluster-${marker}`), { timeout: 20_000 }).toEqual([]);
    rmSync(parent, { recursive: true });
  });

  it('of a pod that was deleted, while the cluster lives on', async () => {
    const marker = `marker${process.pid}c`;
    const { admin } = await open();
    await startPod(admin, app('gone', `/* ${marker} */ ${serve}`));
    const namespaces = namespacesOf(marker);
    const stays = namespacesOf('test/cluster/main.ts');
    for (const namespace of stays) namespaces.delete(namespace);
    await admin.delete(`${podsPath}/gone?gracePeriodSeconds=0`);
    await expect.poll(() => processesIn(namespaces), { timeout: 20_000 }).toEqual([]);
    expect((await admin.request('GET', `${podsPath}/gone`)).status).toBe(404);
  });
});

describe('disturbances', () => {
  it('restartApiServer: the same port answers again, streams are cut, pods live on', async () => {
    const { cluster, admin } = await open();
    await startPod(admin, app('a'));
    const forward = await converse(admin, `${podsPath}/a/portforward?ports=8848`, ['v4.channel.k8s.io']);
    const restarted = cluster.restartApiServer(2_000);
    expect((await forward.closed).code).toBe(1006);
    await expect(admin.get('/version')).rejects.toThrow(/ECONNREFUSED/);
    await restarted;
    expect((await admin.get(`${podsPath}/a`)).status.phase).toBe('Running');
  });

  it('cutConnections: streams end without a close frame', async () => {
    const { cluster, admin } = await open();
    await startPod(admin, app('a'));
    const forward = await converse(admin, `${podsPath}/a/portforward?ports=8848`, ['v4.channel.k8s.io']);
    await cluster.cutConnections();
    expect((await forward.closed).code).toBe(1006);
    expect((await admin.get('/version')).gitVersion).toBe('v1.36.2');
  });

  it('freezePod and thawPod: an accepted connection that does not answer, until it does', async () => {
    const { cluster, admin } = await open();
    await startPod(admin, app('a'));
    await cluster.freezePod({ pod: 'a' });
    const forward = await converse(admin, `${podsPath}/a/portforward?ports=8848`, ['v4.channel.k8s.io']);
    forward.send(Buffer.from('\0GET / HTTP/1.0\r\n\r\n'));
    await sleep(500);
    expect(forward.frames).toHaveLength(2);
    await cluster.thawPod({ pod: 'a' });
    await forward.frameCount(3);
    expect(String(forward.frames[2])).toContain('200 OK');
    forward.end();
  });

  it('killPodSilently: nothing more and no close, and the API still shows it running', async () => {
    const { cluster, admin } = await open();
    await startPod(admin, app('a'));
    const forward = await connected(admin, 'a');
    await cluster.killPodSilently({ pod: 'a' });
    expect(await Promise.race([forward.closed, sleep(2000).then(() => 'open')])).toBe('open');
    expect((await admin.get(`${podsPath}/a`)).status.phase).toBe('Running');
    forward.end();
  });

  it('killContainer: it restarts, and its connection closes as any other', async () => {
    const { cluster, admin } = await open();
    await startPod(admin, app('a'));
    const forward = await connected(admin, 'a');
    await cluster.killContainer({ pod: 'a', container: 'app' });
    expect((await forward.closed).code).toBe(1000);
    const { status } = await admin.until(
      `${podsPath}/a`,
      ({ status: { containerStatuses } }) => containerStatuses[0].restartCount === 1 && containerStatuses[0].ready,
    );
    expect(status.containerStatuses[0].lastState.terminated).toMatchObject({ exitCode: 137, reason: 'Error' });
    await expect(cluster.killContainer({ pod: 'a', container: 'nope' })).rejects.toThrow(
      'no container nope runs in default/a',
    );
  });

  it('kubeconfigFor: other users, and certificates that have expired', async () => {
    const { cluster } = await open();
    const nobody = openClient(await cluster.kubeconfigFor({ user: 'jane', groups: ['developers'] }));
    const refused = await nobody.request('GET', podsPath);
    expect([refused.status, refused.body.message]).toEqual([
      403,
      'pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "default"',
    ]);
    const late = openClient(
      await cluster.kubeconfigFor({
        user: 'admin',
        groups: ['system:masters'],
        notAfter: new Date(Date.now() - 60_000),
      }),
    );
    expect((await late.request('GET', '/version')).status).toBe(401);
  });
});

it('a registered image is an image volume, and a container’s content', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'nodeops-image-'));
  mkdirSync(join(directory, 'agent'));
  writeFileSync(
    join(directory, 'agent/hello.js'),
    "console.log('from the image'); console.log('up'); setInterval(() => {}, 1e3)",
  );
  const { admin } = await open({ images: { 'nodeops:dev': directory } });
  const mounted = app('volume', "require('/opt/agent/hello.js')", {
    volumeMounts: [{ name: 'agent', mountPath: '/opt', readOnly: true }],
  });
  await startPod(admin, {
    ...mounted,
    spec: { ...mounted.spec, volumes: [{ name: 'agent', image: { reference: 'nodeops:dev' } }] },
  });
  await startPod(admin, app('content', '', { image: 'nodeops:dev', args: ['/agent/hello.js'] }));
  for (const name of ['volume', 'content'])
    expect((await admin.request('GET', `${podsPath}/${name}/log`)).body).toBe('from the image\nup\n');
  rmSync(directory, { recursive: true });
});

it('runs a hundred pods', async () => {
  const { admin } = await open();
  const names = Array.from({ length: 100 }, (_, i) => `p${i}`);
  // small scripts of a shell: a hundred Node processes would test the machine, not the cluster
  const spec = {
    terminationGracePeriodSeconds: 0,
    containers: [{ name: 'app', image: 'nodeops.test/shell', command: ['sh', '-c', 'sleep 600'] }],
  };
  await Promise.all(names.map((name) => admin.create(podsPath, { metadata: { name, labels: { many: 'yes' } }, spec })));
  const { items } = await admin.until(`${podsPath}?labelSelector=many`, (list) =>
    list.items.every((pod: Json) => pod.status.phase === 'Running'),
  );
  expect(new Set(items.map((pod: Json) => pod.status.podIP)).size).toBe(100);
});
