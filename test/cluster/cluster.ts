/**
 * A Kubernetes cluster for tests and demos: one API server that speaks the real wire, one node whose pods are real processes in
 * namespaces of their own. See README.md beside this file.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ControlName, ControlReply, Controls, ReadyMessage, StartMessage } from './controls.ts';
import { findProgram, loopbackUp, program } from './kubelet/host.ts';
import { nodeBinary, type RegisteredImage } from './kubelet/images.ts';
import type { IsolationName } from './kubelet/isolation.ts';
import { startReaper } from './reaper.ts';

export interface PodName {
  /** @default 'default' */
  readonly namespace?: string;
  readonly pod: string;
}

export interface Cluster {
  /** Path of an admin's kubeconfig: TLS with the cluster's CA and a client certificate. */
  readonly kubeconfig: string;
  /** `https://127.0.0.1:PORT` */
  readonly server: string;
  /** `loopback` where this machine has no namespaces: pods then share files, processes and users with it. */
  readonly isolation: IsolationName;
  /** Whether containers' memory limits are enforced (control groups could be made). */
  readonly memoryLimits: boolean;
  /** Ends everything: no process, mount, namespace or file stays. Safe to call twice. */
  stop(): Promise<void>;

  // what a test can do beyond the API; a real cluster has no counterpart
  /** All connections are cut; the same port answers again after `downMs` (default 0). */
  restartApiServer(downMs?: number): Promise<void>;
  /** Resets every connection to the API server, streams included. */
  cutConnections(): Promise<void>;
  /** Signals the first process of a container. @default SIGKILL */
  killContainer(which: PodName & { container: string; signal?: NodeJS.Signals }): Promise<void>;
  /** Stops every process of the pod (SIGSTOP): connections stay, nothing answers. */
  freezePod(which: PodName): Promise<void>;
  /** Undoes freezePod. */
  thawPod(which: PodName): Promise<void>;
  /** Kills the pod as a lost node does: its streams send nothing more and no close, and its status stays as it was. */
  killPodSilently(which: PodName): Promise<void>;
  /** Writes a kubeconfig whose client certificate names this user, and returns its path. */
  kubeconfigFor(user: { user: string; groups?: string[]; notAfter?: Date }): Promise<string>;
}

export interface ClusterOptions {
  /** Where kubeconfigs go; made if absent, and its content is removed by `stop()`. @default a new directory in the system's temporary one */
  readonly directory?: string;
  /** Image references with a directory for content: for image volumes, or on top of Node where a container runs it. */
  readonly images?: Readonly<Record<string, string | RegisteredImage>>;
  /** Wait before the second restart of a crashing container, doubled each time. @default 10_000 as a kubelet */
  readonly crashBackoffMs?: number;
  /** @default namespaces where the machine has them, else loopback, which is then said on stderr once */
  readonly isolation?: IsolationName;
  /** Silence after which a stream is closed. @default 4 hours as a kubelet */
  readonly idleTimeoutMs?: number;
}

const startTimeoutMs = 30_000;
/** The cluster's process gets this long to end by itself before it is killed. */
const stopTimeoutMs = 5_000;

/** Starts a cluster. Throws, with the reason, when it is not ready within 30 seconds. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'nodeops-cluster-')));
  await mkdir(directory, { recursive: true });
  const reaper = startReaper(directory);
  const isolation = options.isolation ?? availableIsolation();
  const child = launch(isolation);
  const images = Object.entries(options.images ?? {}).map(([reference, image]) => [
    reference,
    typeof image === 'string' ? { directory: image } : image,
  ]);
  const start: StartMessage = {
    directory,
    images: Object.fromEntries(images),
    crashBackoffMs: options.crashBackoffMs ?? 10_000,
    idleTimeoutMs: options.idleTimeoutMs ?? 4 * 3_600_000,
    isolation,
    cgroupName: basename(directory).replaceAll(/[^\w-]/g, '-'),
  };
  let stopping: Promise<void> | undefined;
  const stop = () =>
    (stopping ??= (async () => {
      if (child.exitCode === null && child.signalCode === null) {
        // the first process of a pid namespace ends only after all others in it have
        const exit = once(child, 'exit');
        const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
        if (child.connected) child.disconnect();
        else child.kill('SIGKILL');
        await exit;
        clearTimeout(timer);
      }
      await reaper.reap();
      await rm(directory, { recursive: true, force: true });
    })());
  let ready: ReadyMessage;
  try {
    ready = await readiness(child, start);
    reaper.watch(ready.cgroups);
  } catch (error) {
    await stop();
    throw error;
  }
  const control = remote(child);
  const named = ({ namespace = 'default', pod }: PodName) => ({ namespace, pod });
  let issued = 0;
  return {
    kubeconfig: ready.kubeconfig,
    server: ready.server,
    isolation,
    memoryLimits: ready.memoryLimits,
    stop,
    restartApiServer: async (downMs = 0) => void (await control('restartApiServer', { downMs })),
    cutConnections: async () => void (await control('cutConnections', {})),
    killContainer: async ({ container, signal = 'SIGKILL', ...which }) =>
      void (await control('killContainer', { ...named(which), container, signal })),
    freezePod: async (which) => void (await control('freezePod', named(which))),
    thawPod: async (which) => void (await control('thawPod', named(which))),
    killPodSilently: async (which) => void (await control('killPodSilently', named(which))),
    kubeconfigFor: async ({ user, groups = [], notAfter }) => {
      const text = await control('issueClientCertificate', { user, groups, notAfter: notAfter?.toISOString() });
      const path = join(directory, `kubeconfig-${++issued}`);
      await writeFile(path, text as string, { mode: 0o600 });
      return path;
    },
  };
}

/** The cluster's process as first of a new pid namespace; it dies with this process, and everything in it dies with it. */
function launch(isolation: IsolationName): ChildProcess {
  const root = process.getuid?.() === 0;
  const node = nodeBinary(24) ?? process.execPath;
  const namespaces = ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc', '--propagation', 'private'];
  const asUser = root ? [] : ['--user', '--map-root-user'];
  const around = isolation === 'namespaces' ? [program('unshare'), ...asUser, ...namespaces] : [];
  const { NODEOPS_CLUSTER_PACE } = process.env;
  const pace = NODEOPS_CLUSTER_PACE ? { NODEOPS_CLUSTER_PACE } : {};
  const main = fileURLToPath(new URL('./main.ts', import.meta.url));
  const child = spawn(program('setpriv'), ['--pdeathsig', 'KILL', '--', ...around, node, '--no-warnings', main], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: {
      PATH: process.env.PATH ?? '',
      TMPDIR: tmpdir(),
      ...pace,
      ...(root ? {} : { NODEOPS_CLUSTER_ONE_USER: '1' }),
    },
  });
  return child;
}

async function readiness(child: ChildProcess, start: StartMessage): Promise<ReadyMessage> {
  let complaint = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-4000);
    if (process.env.NODEOPS_CLUSTER_DEBUG) process.stderr.write(text);
  });
  child.stderr!.on('error', () => {});
  child.send(start, () => {});
  const timer = setTimeout(() => child.kill('SIGKILL'), startTimeoutMs);
  try {
    const answer = await Promise.race([once(child, 'message'), once(child, 'exit').then(() => undefined)]);
    const message = answer?.[0] as ReadyMessage | { failed: string } | undefined;
    if (message && 'ready' in message) return message;
    throw new Error(`the embedded cluster did not start: ${message?.failed ?? complaint.trim()}`);
  } finally {
    clearTimeout(timer);
  }
}

function remote(child: ChildProcess) {
  let next = 0;
  return <N extends ControlName>(control: N, parameters: Controls[N]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const id = next++;
      const done = () => child.off('message', onReply).off('exit', onExit);
      const onReply = (reply: ControlReply) => {
        if (reply.id !== id) return;
        done();
        if (reply.error === undefined) resolve(reply.result);
        else reject(new Error(reply.error));
      };
      const onExit = () => {
        done();
        reject(new Error('the embedded cluster has ended'));
      };
      child.on('message', onReply).on('exit', onExit);
      child.send({ id, control, parameters });
    });
}

let said = false;

/** Tries it: kernels, containers and security modules refuse namespaces in too many ways to ask. */
function availableIsolation(): IsolationName {
  const asUser = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
  const tried = spawnSync(
    findProgram('unshare') ?? 'unshare',
    [...asUser, '--mount', '--pid', '--net', '--fork', '--mount-proc', '/bin/sh', '-c', loopbackUp('10.88.0.1')],
    { encoding: 'utf8', timeout: 5000 },
  );
  if (tried.status === 0) return 'namespaces';
  if (!said)
    process.stderr.write(
      `The embedded cluster runs without namespaces (${tried.stderr?.trim() || tried.error?.message}): pods are kept apart by loopback addresses only.\n`,
    );
  said = true;
  return 'loopback';
}
