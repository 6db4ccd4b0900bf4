/** The node: schedules pods onto itself, runs them, writes their status and events. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ordered } from '../api/order.ts';
import { resourceNamed } from '../api/resources.ts';
import type { Store } from '../api/store.ts';
import type { Json, KubeObject } from '../api/types.ts';
import { hold, later, queued } from '../pace.ts';
import type { ControlGroups } from './cgroup.ts';
import { recordEvent } from './events.ts';
import { program } from './host.ts';
import { Images, type RegisteredImage } from './images.ts';
import type { Isolation } from './isolation.ts';
import { mountAll } from './mounts.ts';
import { PodWorker } from './pod.ts';
import { nodeName, type PodState, podStatus, type Slot, timestamp } from './podstatus.ts';
import { makeDevices } from './root.ts';
import { isUngated, matchesNode, unschedulable } from './scheduler.ts';
import type { VolumeSources } from './volumes.ts';

const pods = resourceNamed('pods');
/** Objects whose content volumes follow. A real kubelet takes up to a minute and a half for that. */
const sourceKinds = new Map([
  [resourceNamed('configmaps'), 'configMap'],
  [resourceNamed('secrets'), 'secret'],
] as const);

export interface KubeletOptions {
  readonly store: Store;
  /** On a file system of the cluster's own. */
  readonly directory: string;
  readonly images: Readonly<Record<string, RegisteredImage>>;
  /** Wait before the second restart of a crashing container, doubled each time. */
  readonly crashBackoffMs: number;
  readonly groups: ControlGroups;
  readonly isolation: Isolation;
  issueToken(
    namespace: string,
    account: string,
    audience: string | undefined,
    seconds: number,
    pod: { name: string; uid: string },
  ): string;
}

export class Kubelet {
  readonly directory: string;
  readonly images: Images;
  readonly groups: ControlGroups;
  readonly crashBackoffMs: number;
  readonly devices: string;
  readonly isolation: Isolation;
  readonly #options: KubeletOptions;
  readonly #workers = new Map<string, PodWorker>();
  readonly #toEvents = queued('events');
  #nextAddress = 10;

  constructor(options: KubeletOptions) {
    this.#options = options;
    this.isolation = options.isolation;
    this.directory = join(options.directory, 'pods');
    this.groups = options.groups;
    this.crashBackoffMs = options.crashBackoffMs;
    this.images = new Images(
      join(options.directory, 'images'),
      options.images,
      options.isolation.name === 'namespaces',
    );
    this.devices = join(options.directory, 'dev');
    for (const path of ['pods', 'images', 'dev']) mkdirSync(join(options.directory, path), { recursive: true });
    if (options.isolation.name === 'namespaces') mountAll(makeDevices(this.devices), join(options.directory, 'fstab'));
    options.store.onChange(({ type, resource, object }) => {
      if (resource === pods) this.#onPod(type, object);
      const kind = type === 'MODIFIED' && sourceKinds.get(resource);
      const { namespace, name } = object.metadata;
      if (kind)
        later('volumes', () => {
          for (const worker of this.workers)
            if (worker.pod.metadata.namespace === namespace) worker.refresh(kind, name);
        });
    });
  }

  worker(namespace: string, name: string): PodWorker | undefined {
    const pod = this.#options.store.get(pods, namespace, name);
    return pod && this.#workers.get(pod.metadata.uid);
  }

  get workers(): PodWorker[] {
    return [...this.#workers.values()];
  }

  #onPod(type: string, pod: KubeObject): void {
    const worker = this.#workers.get(pod.metadata.uid);
    if (type === 'DELETED') {
      // removed from the API without waiting: `--grace-period=0 --force`
      if (worker && !worker.ending) void this.#end(worker, 0, false);
      return;
    }
    if (pod.metadata.deletionTimestamp) {
      if (!worker) this.#options.store.remove(pods, pod.metadata.namespace, pod.metadata.name);
      else if (!worker.ending) void this.#end(worker, pod.metadata.deletionGracePeriodSeconds ?? 30, true);
      return;
    }
    if (worker) later('sync', () => worker.adopt(pod));
    else if (pod.spec.nodeName === nodeName) this.#begin(pod);
    else if (!pod.spec.nodeName && (type === 'ADDED' || isUngated(pod)))
      setImmediate(() => later('schedule', () => this.#schedule(pod)));
  }

  #begin(pod: KubeObject): void {
    const worker = new PodWorker(this, pod, this.isolation.address(this.#nextAddress));
    this.#nextAddress++;
    this.#workers.set(pod.metadata.uid, worker);
    void worker.run();
  }

  async #end(worker: PodWorker, graceSeconds: number, remove: boolean): Promise<void> {
    const { metadata } = worker.pod;
    for (const { spec, run, ...slot } of worker.slots)
      if (run)
        this.event(worker.pod, 'Normal', 'Killing', `Stopping container ${spec.name}`, { spec, run, ...slot } as Slot);
    await worker.terminate(graceSeconds);
    await hold('removal');
    this.#workers.delete(worker.uid);
    const now = this.#options.store.get(pods, metadata.namespace, metadata.name);
    if (remove && now?.metadata.uid === worker.uid) this.#options.store.remove(pods, metadata.namespace, metadata.name);
  }

  #schedule(created: KubeObject): void {
    const { store } = this.#options;
    const pod = store.get(pods, created.metadata.namespace, created.metadata.name);
    if (!pod || pod.metadata.uid !== created.metadata.uid || pod.spec.nodeName || pod.metadata.deletionTimestamp)
      return;
    const why = unschedulable(pod);
    if (why) {
      const conditions = [
        {
          type: 'PodScheduled',
          observedGeneration: pod.metadata.generation,
          status: 'False',
          lastProbeTime: null,
          lastTransitionTime: timestamp(),
          reason: 'Unschedulable',
          message: why,
        },
      ];
      store.put(pods, { ...pod, status: { ...pod.status, phase: 'Pending', conditions } });
      recordEvent(store, pod, { type: 'Warning', reason: 'FailedScheduling', message: why, scheduler: true });
      return;
    }
    const { namespace, name } = pod.metadata;
    recordEvent(store, pod, {
      type: 'Normal',
      reason: 'Scheduled',
      message: `Successfully assigned ${namespace}/${name} to ${nodeName}`,
      scheduler: true,
    });
    store.put(pods, { ...pod, spec: ordered({ ...pod.spec, nodeName }) });
  }

  /** Tries again to place pods that matched no node, after the node changed. */
  reschedule(): void {
    for (const pod of this.#options.store.list(pods)) if (!pod.spec.nodeName && matchesNode(pod)) this.#schedule(pod);
  }

  writeStatus(worker: PodWorker, state: PodState): void {
    const { store } = this.#options;
    const { namespace, name } = worker.pod.metadata;
    const pod = store.get(pods, namespace, name);
    if (!pod || pod.metadata.uid !== worker.uid) return;
    const status = podStatus(pod, state);
    if (JSON.stringify(status) !== JSON.stringify(pod.status)) store.put(pods, { ...pod, status });
  }

  event(pod: KubeObject, type: string, reason: string, message: string, slot?: Slot): void {
    this.#toEvents(() => recordEvent(this.#options.store, pod, { type, reason, message, slot }));
  }

  sources(
    namespace: string,
    account: string,
    pod: { name: string; uid: string },
    field: (path: string) => string,
  ): VolumeSources {
    const { store, issueToken } = this.#options;
    return {
      images: this.images,
      canMount: this.isolation.name === 'namespaces',
      configMap: (name) => store.get(resourceNamed('configmaps'), namespace, name),
      secret: (name) => store.get(resourceNamed('secrets'), namespace, name),
      token: (audience, seconds) => issueToken(namespace, account, audience, seconds, pod),
      field,
    };
  }

  unmountBelow(directory: string): void {
    const mounted = readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .map((line) => line.split(' ')[4] ?? '')
      .filter((at) => at.startsWith(`${directory}/`));
    for (const at of mounted.reverse()) {
      try {
        execFileSync(program('umount'), ['-l', at], { stdio: 'ignore' });
      } catch {
        // the mount namespace takes it along when the cluster ends
      }
    }
  }
}

export type { Json };
