/**
 * Where end-to-end tests run: the embedded cluster, or the real one that NODEOPS_E2E_KUBECONFIG names. Tests do everything
 * through the real kubectl and the built plugin as child processes, so that they mean the same on both.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { kubectlPath } from '../binaries/kubectl.ts';
import { type Cluster, type ClusterOptions, startCluster } from '../cluster/cluster.ts';
import { container, pod } from './pods.ts';
import { sharedKubeconfig } from './shared-cluster.ts';

export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string;
  readonly env?: Record<string, string>;
  readonly timeoutMs?: number;
  readonly kubeconfig?: string;
}

export interface Bed {
  /** What only a test bed can do, as cutting connections; null where the cluster is real, or shared with other test files. */
  readonly cluster: Cluster | null;
  /** For files of a test; removed with the bed. */
  readonly directory: string;
  readonly namespace: string;
  readonly kubeconfig: string;
  readonly image: string;
  /** `kubectl nodeops ARGS` in the bed's namespace: real kubectl, built plugin on the PATH. */
  nodeops(args: readonly string[], options?: RunOptions): Promise<Result>;
  kubectl(args: readonly string[], options?: RunOptions): Promise<Result>;
  /** Creates the objects and fails on any refusal. */
  create(...objects: readonly object[]): Promise<void>;
  ready(...pods: readonly string[]): Promise<void>;
  /** Asked of a pod of it, once: a real cluster's image is not ours to choose. */
  imageFacts(): Promise<ImageFacts>;
  /** Runs JavaScript in a Node of its own beside a container's app, and resolves with what it printed. Throws when it fails. */
  runIn(pod: string, script: string, ...flags: readonly string[]): Promise<string>;
  /** Waits until so many processes of what `args` select are answered for: a pod is ready before its agent listens. */
  answering(count: number, ...args: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

export interface ImageFacts {
  /** Path of its Node. */
  readonly node: string;
  /** Whether it has a shell and `sleep`. */
  readonly shell: boolean;
}

/** Why what needs the embedded cluster is skipped, to be shown in titles; undefined where it runs. */
export const notEmbedded = process.env.NODEOPS_E2E_KUBECONFIG
  ? 'skipped: a real cluster offers no way to do this to it'
  : undefined;
export const noShell = 'NODEOPS_E2E_IMAGE has no shell';

export interface BedOptions {
  /** A cluster that no other test file uses, for what disturbs a whole one. @default whether anything else is asked of it */
  readonly own?: boolean;
  /** Images of the embedded cluster: a directory's content for each reference. */
  readonly images?: NonNullable<ClusterOptions['images']>;
  /** How its pods are kept apart. @default namespaces, where this machine has them */
  readonly isolation?: NonNullable<ClusterOptions['isolation']>;
}

export async function openBed(options: BedOptions = {}): Promise<Bed> {
  const real = process.env.NODEOPS_E2E_KUBECONFIG;
  const { own = options.images !== undefined || options.isolation !== undefined, ...clusterOptions } = options;
  const shared = own ? undefined : sharedKubeconfig();
  const cluster = (real ?? shared) ? null : await startCluster(clusterOptions);
  const kubeconfig = real ?? shared ?? cluster!.kubeconfig;
  const namespace = `nodeops-e2e-${randomBytes(4).toString('hex')}`;
  const image = process.env.NODEOPS_E2E_IMAGE ?? 'nodeops.test/node:24';
  const directory = await mkdtemp(join(tmpdir(), 'nodeops-e2e-'));
  const bin = join(directory, 'bin');
  await mkdir(bin);
  const kubectlBinary = await kubectlPath();
  await symlink(resolve('dist/kubectl-nodeops'), join(bin, 'kubectl-nodeops'));

  const run = (args: readonly string[], options: RunOptions = {}): Promise<Result> =>
    new Promise((done) => {
      const env = {
        ...process.env,
        PATH: `${bin}${delimiter}${process.env.PATH}`,
        KUBECONFIG: options.kubeconfig ?? kubeconfig,
        NODE_OPTIONS: '',
        ...options.env,
      };
      const child = execFile(
        kubectlBinary,
        [...args],
        { env, timeout: options.timeoutMs ?? 50_000, killSignal: 'SIGKILL', maxBuffer: 64 * 1024 * 1024 },
        (error, stdout, stderr) => {
          const code = error ? (typeof error.code === 'number' ? error.code : -1) : 0;
          done({ code, stdout, stderr });
        },
      );
      child.stdin?.on('error', () => {});
      child.stdin?.end(options.input ?? '');
    });
  const kubectl: Bed['kubectl'] = (args, options) => run(['-n', namespace, ...args], options);
  const must = async (args: readonly string[], input?: string): Promise<string> => {
    const result = await kubectl(args, { ...(input === undefined ? {} : { input }), timeoutMs: 200_000 });
    if (result.code !== 0)
      throw new Error(`kubectl ${args.join(' ')}: ${result.stderr || result.stdout || result.code}`);
    return result.stdout;
  };
  let facts: Promise<ImageFacts> | undefined;
  const bed: Bed = {
    cluster,
    namespace,
    kubeconfig,
    image,
    kubectl,
    nodeops: (args, options) => run(['nodeops', '-n', namespace, ...args], options),
    directory,
    async create(...objects) {
      const list = { apiVersion: 'v1', kind: 'List', items: objects };
      await must(['create', '--validate=false', '-f', '-'], JSON.stringify(list));
    },
    async ready(...pods) {
      await must(['wait', '--for=condition=Ready', '--timeout=180s', ...pods.map((name) => `pod/${name}`)]);
    },
    imageFacts: () => (facts ??= askImage(bed, must)),
    async runIn(pod, script, ...flags) {
      const { node } = await bed.imageFacts();
      return must(['exec', pod, ...flags, '--', node, '-e', script]);
    },
    async answering(count, ...args) {
      const endAt = Date.now() + 90_000;
      for (;;) {
        const { code, stdout, stderr } = await bed.nodeops(['version', ...args, '--all-processes', '-o', 'json']);
        const reply = code === 0 ? JSON.parse(stdout) : undefined;
        const found = reply ? (reply.items?.length ?? 1) : 0;
        if (found === count) return;
        if (Date.now() > endAt)
          throw new Error(`${found} processes of ${args.join(' ')} answer, not ${count}: ${stderr}`);
        await new Promise((resolve) => setTimeout(resolve, 300));
      }
    },
    async close() {
      // a real node has room for the next test file once these pods are gone
      const patience = real ? ['--timeout=60s'] : ['--wait=false'];
      await run(['delete', 'namespace', namespace, ...patience], { timeoutMs: 90_000 });
      await cluster?.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
  try {
    await must(['create', 'namespace', namespace]);
    await furnished(bed, namespace);
    await bed.create(await agentFiles());
  } catch (error) {
    await bed.close();
    throw error;
  }
  return bed;
}

/** No pod can be created in a namespace, and none starts, before a controller has brought these. */
export async function furnished(bed: Bed, namespace: string): Promise<void> {
  const wanted = ['serviceaccount/default', 'configmap/kube-root-ca.crt'];
  const endAt = Date.now() + 60_000;
  for (;;) {
    const { code, stderr } = await bed.kubectl(['get', ...wanted, '-o', 'name', '-n', namespace]);
    if (code === 0) return;
    if (Date.now() > endAt) throw new Error(`namespace ${namespace} has no ${wanted.join(' or ')}: ${stderr}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function askImage(bed: Bed, must: (args: readonly string[]) => Promise<string>): Promise<ImageFacts> {
  const script = `
    const has = (name) => process.env.PATH.split(':').some((place) => require('node:fs').existsSync(place + '/' + name));
    console.log(JSON.stringify({ node: process.execPath, shell: has('sh') && has('sleep') }));
  `;
  await bed.create(pod('image-facts', [container(bed, { script, agent: false })], { restartPolicy: 'Never' }));
  await must(['wait', '--for=jsonpath={.status.phase}=Succeeded', '--timeout=120s', 'pod/image-facts']);
  return JSON.parse(await must(['logs', 'image-facts']));
}

/** The built agent, brought into pods by a ConfigMap: the same on any cluster, no image of ours needed. */
async function agentFiles(): Promise<object> {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'nodeops-agent' },
    data: { 'preload.cjs': await readFile('dist/agent/preload.cjs', 'utf8') },
  };
}
