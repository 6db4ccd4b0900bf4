/** Pods that nobody prepared: exec, ephemeral containers, the sidecar. Through the real kubectl and the built plugin. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Bed, noShell, openBed } from './bed.ts';
import { noImage } from './image.ts';
import { blocked, container, healthy, pod } from './pods.ts';

const ownImage = process.env.NODEOPS_E2E_NODEOPS_IMAGE ?? 'nodeops.test/nodeops:dev';
const embedded = !process.env.NODEOPS_E2E_KUBECONFIG;
/** Pods of the embedded cluster run as the users they ask for where it may become these. */
const users = !embedded || process.getuid?.() === 0;
let bed: Bed;
let image: string;
let shell: boolean;

const asUser = (user: number) => ({
  runAsUser: user,
  runAsNonRoot: true,
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
});
const bare = (script: string, more: object = {}) => ({ ...container(bed, { script, agent: false }), ...more });
const annotated = (object: object, annotations: object) => {
  const { metadata } = object as { metadata: object };
  return { ...object, metadata: { ...metadata, annotations } };
};
const patiently = { timeout: 40_000, interval: 300 };
const loud = { name: 'NODE_OPTIONS', value: '--import=data:text/javascript,console.log(`noise`)' };

beforeAll(async () => {
  image = await mkdtemp(join(tmpdir(), 'nodeops-image-'));
  await mkdir(join(image, 'nodeops'));
  await copyFile('dist/sidecar.cjs', join(image, 'nodeops/sidecar.cjs'));
  bed = await openBed({ images: { [ownImage]: image } });
  ({ shell } = await bed.imageFacts());
  const files = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'nodeops-sidecar' },
    data: { 'sidecar.cjs': await readFile('dist/sidecar.cjs', 'utf8') },
  };
  const sidecar = bare('', {
    name: 'nodeops-sidecar',
    args: ['/nodeops-sidecar/sidecar.cjs'],
    restartPolicy: 'Always',
    securityContext: asUser(1000),
    volumeMounts: [{ name: 'sidecar', mountPath: '/nodeops-sidecar', readOnly: true }],
  });
  await bed.create(
    files,
    pod('bare-0', [bare(healthy)]),
    pod('blocked-0', [bare(blocked)]),
    pod('loud-0', [bare(healthy, { env: [loud] })]),
    pod('two-0', [bare(healthy, { name: 'web' }), bare(healthy.replace('3000', '3001'), { name: 'jobs' })]),
    annotated(
      pod(
        'users-0',
        [
          bare(healthy, { name: 'one', securityContext: asUser(1000) }),
          bare(healthy.replace('3000', '3001'), { name: 'other', securityContext: asUser(2000) }),
        ],
        { shareProcessNamespace: true },
      ),
      { 'kubectl.kubernetes.io/default-container': 'one' },
    ),
    pod('beside-0', [bare(healthy), container(bed, { name: 'library', script: healthy.replace('3000', '3001') })], {
      shareProcessNamespace: true,
      initContainers: [sidecar],
      volumes: [
        { name: 'nodeops', configMap: { name: 'nodeops-agent' } },
        { name: 'sidecar', configMap: { name: 'nodeops-sidecar' } },
      ],
    }),
    ...(shell ? inShells() : []),
    ...(embedded ? [pod('distroless-0', [bare(healthy, { image: 'nodeops.test/distroless-node:22' })])] : []),
  );
  const names = ['bare-0', 'blocked-0', 'loud-0', 'two-0', 'users-0', 'beside-0'];
  await bed.ready(...names, ...(shell ? ['shell-0', 'none-0', 'small-0'] : []), ...(embedded ? ['distroless-0'] : []));
  await bed.answering(2, 'beside-0');
  // a container runs before its app serves, and blocks a moment after that
  const serving = ['bare-0', 'loud-0', 'users-0', ...(shell ? ['shell-0'] : []), ...(embedded ? ['distroless-0'] : [])];
  for (const name of serving) await vi.waitFor(async () => expect(await ports(name)).toContain(3000), patiently);
  await vi.waitFor(async () => expect(await ports('two-0')).toEqual(expect.arrayContaining([3000, 3001])), patiently);
  const blocks = async () => (await bed.nodeops(['stack', 'blocked-0', '--attach=exec'])).stdout;
  await vi.waitFor(async () => expect(await blocks()).toContain('innermost'), patiently);
}, 240_000);
afterAll(async () => {
  await bed?.close();
  await rm(image, { recursive: true, force: true });
});

/** Pods whose first process is a shell. */
function inShells(): object[] {
  const sleeping = { args: undefined, command: ['sh', '-c', 'sleep 600'] };
  const serving = `node -e '${healthy.replaceAll("'", '"')}' & wait`;
  return [
    pod('shell-0', [bare('', { args: undefined, command: ['sh', '-c', serving] })]),
    pod('none-0', [bare('', sleeping)]),
    pod('small-0', [bare('', { ...sleeping, resources: { limits: { memory: '48Mi' } } })]),
  ];
}

/** The command lines of a container, as its own /proc shows them, but for who looks. */
async function commands(name: string): Promise<string[]> {
  const script =
    "const fs = require('fs'); for (const p of fs.readdirSync('/proc')) if (/^\\d+$/.test(p) && +p !== process.pid) try { console.log(fs.readFileSync('/proc/' + p + '/cmdline', 'latin1').split('\\0').join(' ')) } catch {}";
  return (await bed.runIn(name, script)).split('\n').filter((line) => line !== '');
}
const listeningScript = `
  for (const table of ['tcp', 'tcp6'])
    for (const line of require('fs').readFileSync('/proc/net/' + table, 'latin1').split('\\n'))
      if (/ 0A /.test(line)) console.log(parseInt(/:([0-9A-F]{4}) /.exec(line)[1], 16));
`;
async function ports(name: string): Promise<number[]> {
  const { node } = await bed.imageFacts();
  const path = name === 'distroless-0' ? '/nodejs/bin/node' : node;
  const { stdout } = await bed.kubectl(['exec', name, '--', path, '-e', listeningScript]);
  return stdout.split('\n').filter(Boolean).map(Number);
}

describe('--attach=exec', () => {
  it('answers for a pod that loads no agent, and leaves nothing behind', async () => {
    const { code, stdout, stderr } = await bed.nodeops(['stats', 'pod/bare-0', '--attach=exec']);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringMatching(
        /^note: attaching to container 'app' of pod 'bare-0' by exec: takes about 64\.0MB of its memory meanwhile.*\n$/,
      ),
    });
    expect(stdout).toMatch(/^active handles: 1 \(TCPServerWrap 1\)$/m);
    await expect.poll(() => ports('bare-0'), patiently).toEqual([3000]);
    expect((await commands('bare-0')).filter((line) => line.includes('nodeops-attach'))).toEqual([]);
  });

  it('names the function that blocks the loop', async () => {
    const { stdout } = await bed.nodeops(['stack', 'blocked-0', '--attach=exec']);
    expect(stdout).toMatch(/^thread main \[running\]:\n {4}at innermost \(\[eval\]:2:\d+\)\n {4}at handleOrder/);
  });

  it('finds the process below a shell, and lists it under its container', async ({ skip }) => {
    skip(!shell, noShell);
    const { stdout } = await bed.nodeops(['list', 'shell-0', '--attach=exec', '-o', 'json']);
    const { data } = JSON.parse(stdout);
    expect(data.processes).toMatchObject([{ container: 'app', name: 'node', ...(users ? { uid: 1000 } : {}) }]);
    expect(data.processes[0].pid).toBeGreaterThan(1);
  });

  it.runIf(embedded)('works in a distroless image, on another version of Node', async () => {
    const { code, stdout } = await bed.nodeops(['version', 'distroless-0', '--attach=exec', '-o', 'json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).data.nodeVersion).toMatch(/^v22\./);
    expect((await bed.nodeops(['memstats', 'distroless-0', '--attach=exec'])).stdout).toMatch(/^heap-used: /m);
  });

  it('is not disturbed by what NODE_OPTIONS of the container loads', async () => {
    const { code, stdout } = await bed.nodeops(['memstats', 'loud-0', '--attach=exec']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^heap-used: /m);
    expect((await bed.kubectl(['logs', 'loud-0'])).stdout.match(/noise/g)).toHaveLength(1);
  });

  it('wants to know which of two containers, and takes -c', async () => {
    const refused = await bed.nodeops(['stats', 'two-0', '--attach=exec']);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain('-c with one of: web, jobs');
    const { stdout } = await bed.nodeops(['version', 'two-0', '-c', 'jobs', '--attach=exec', '-o', 'json']);
    expect(JSON.parse(stdout).process.container).toBe('jobs');
  });

  it('says that there is no Node process', async ({ skip }) => {
    skip(!shell, noShell);
    const { code, stderr } = await bed.nodeops(['stats', 'none-0', '--attach=exec']);
    expect(code).toBe(1);
    expect(stderr).toContain('no Node.js process is seen here');
  });

  it('refuses where memory is short, before anything runs there; --attach-force does not', async ({ skip }) => {
    skip(!shell, noShell);
    const { code, stderr } = await bed.nodeops(['stats', 'small-0', '--attach=exec']);
    expect(code).toBe(1);
    expect(stderr).toContain(
      "container 'app' of pod 'small-0' has a memory limit of 48.0MB, and attaching takes about 64.0MB",
    );
    const forced = await bed.nodeops(['list', 'small-0', '--attach=exec', '--attach-force']);
    expect(forced.stderr).toContain('note: attaching to');
  });

  it.runIf(users)("sees another user's process, and says why it cannot look into it", async () => {
    const { stdout } = await bed.nodeops(['list', 'users-0', '--attach=exec', '-o', 'json']);
    const processes: { uid: number; pid: number }[] = JSON.parse(stdout).data.processes;
    expect(processes.map(({ uid }) => uid).sort()).toEqual([1000, 2000]);
    const { pid } = processes.find(({ uid }) => uid === 2000)!;
    const { stderr } = await bed.nodeops(['memstats', 'users-0', '--attach=exec', '--pid', String(pid)]);
    expect(stderr).toContain(`process ${pid} belongs to another user, and we are user 1000`);
  });

  it('is not done for an address, and does not hide that a pod is missing', async () => {
    expect((await bed.nodeops(['stats', '127.0.0.1:1', '--attach=exec'])).stderr).toContain(
      '--attach takes a pod or a PID',
    );
    expect((await bed.nodeops(['stats', 'nope-0', '--attach=exec'])).stderr).toContain("there is no pod 'nope-0'");
  });

  it('--attach=auto takes the agent where there is one, and exec where there is none', async () => {
    const attached = await bed.nodeops(['stats', 'bare-0', '--attach=auto']);
    expect(attached).toMatchObject({ code: 0, stderr: expect.stringContaining('attaching to') });
    const asked = await bed.nodeops(['list', 'beside-0'], { env: { NODEOPS_ATTACH: 'auto' } });
    expect(asked).toMatchObject({ code: 0, stderr: '' });
  });

  it('the message about a missing agent names the command', async () => {
    const { stderr } = await bed.nodeops(['stats', 'bare-0']);
    expect(stderr).toContain(`kubectl nodeops stats pod/bare-0 -n ${bed.namespace} --attach=exec`);
    expect(stderr).toContain('--attach=ephemeral');
  });

  it('a plugin that is killed leaves nothing in the pod', async () => {
    const env = { ...process.env, KUBECONFIG: bed.kubeconfig };
    // what looks at the ports below is a Node process of that pod as well
    const args = ['stats', '-n', bed.namespace, 'bare-0', '--attach=exec', '--window', '30s', '--pid', '1'];
    const plugin: ChildProcess = spawn(resolve('dist/kubectl-nodeops'), args, {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    for (const stream of [plugin.stdout!, plugin.stderr!])
      stream.on('data', (text) => {
        said += text;
      });
    await expect
      .poll(
        async () => {
          if (plugin.exitCode !== null) throw new Error(`ended with ${plugin.exitCode}: ${said}`);
          return ports('bare-0');
        },
        { timeout: 50_000 },
      )
      .toContain(9229);
    plugin.kill('SIGKILL');
    await once(plugin, 'exit');
    await expect.poll(() => ports('bare-0'), { timeout: 50_000 }).toEqual([3000]);
    await expect
      .poll(async () => (await commands('bare-0')).filter((line) => line.includes('nodeops-attach')), {
        timeout: 50_000,
      })
      .toEqual([]);
    expect((await bed.nodeops(['stats', 'bare-0', '--attach=exec'])).code).toBe(0);
  });
});

describe('the sidecar', () => {
  it('answers for processes without the library, and looks after those with it', async () => {
    const { stdout } = await bed.nodeops(['list', 'beside-0', '-o', 'json']);
    const processes: { pid: number; container: string | null }[] = JSON.parse(stdout).data.processes;
    expect(processes.map((process) => process.container).sort()).toEqual(['library', null].sort());
    for (const { pid } of processes) {
      const { code, stdout } = await bed.nodeops(['memstats', 'beside-0', '--pid', String(pid), '-o', 'json']);
      expect(code).toBe(0);
      expect(JSON.parse(stdout).data.heap.usedBytes).toBeGreaterThan(1e6);
    }
  });
});

describe.skipIf(noImage)(`--attach=ephemeral${noImage ? ` (${noImage})` : ''}`, () => {
  const way = ['--attach=ephemeral', '--attach-image', ownImage];

  it('adds the container, and uses the same one the next time', async ({ skip }) => {
    skip(!shell, noShell);
    const first = await bed.nodeops(['stats', 'shell-0', ...way], { timeoutMs: 90_000 });
    expect(first).toMatchObject({ code: 0, stdout: expect.stringMatching(/^uptime: /) });
    expect(first.stderr).toMatch(/adding the ephemeral container 'nodeops-[0-9a-f]{6}'/);
    const second = await bed.nodeops(['version', 'shell-0', ...way, '-o', 'json']);
    expect(second.stderr).toMatch(/using the ephemeral container 'nodeops-[0-9a-f]{6}'/);
    expect(JSON.parse(second.stdout).process.container).toBe('app');
    const { stdout } = await bed.kubectl(['get', 'pod', 'shell-0', '-o', 'json']);
    const { ephemeralContainers } = JSON.parse(stdout).spec;
    expect(ephemeralContainers).toHaveLength(1);
    expect(ephemeralContainers[0]).toMatchObject({
      targetContainerName: 'app',
      securityContext: { runAsUser: 1000, runAsNonRoot: true, capabilities: { drop: ['ALL'] } },
    });
    expect((await bed.nodeops(['stats', 'shell-0'])).code).toBe(0);
  });
});

describe('--attach=ephemeral where the image cannot be pulled', () => {
  it('says so, and what to do', async () => {
    const args = ['stats', 'blocked-0', '--attach=ephemeral', '--attach-image', 'registry.invalid/nodeops:1'];
    const { code, stderr } = await bed.nodeops(args, { timeoutMs: 90_000 });
    expect(code).toBe(1);
    expect(stderr).toMatch(/does not start: (?:ErrImagePull|ImagePullBackOff)/);
    expect(stderr).toContain('--attach-image');
  });
});
