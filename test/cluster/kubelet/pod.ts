/** The life of one pod: sandbox, init containers in order, containers, restarts, end. */
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeObject } from '../api/types.ts';
import { hold, later } from '../pace.ts';
import type { ContainerSpec } from './container.ts';
import { podField } from './environment.ts';
import { ContainerKeeper, type KeptPod, stopRun } from './keeper.ts';
import type { Kubelet } from './kubelet.ts';
import { newSlot, type PodState, type Slot, timestamp } from './podstatus.ts';
import { prepareContainer } from './prepare.ts';
import type { PodSandbox } from './sandbox.ts';
import { makeVolumes, NotReady, refreshVolumes, usesSource, type VolumeSources } from './volumes.ts';

/** How often the kubelet tries again to make what is not there yet. */
const retryMs = 1000;

export class PodWorker implements KeptPod {
  readonly uid: string;
  readonly slots: Slot[] = [];
  sandbox: PodSandbox | undefined;
  /** Set when the pod is going: its streams then stand still instead of being closed, as on a real node. */
  terminating = false;
  /** Set when its deletion has begun. */
  ending = false;
  #pod: KubeObject;
  readonly #kubelet: Kubelet;
  readonly #directory: string;
  readonly #startTime = timestamp();
  readonly #address: string;
  readonly #keeper: ContainerKeeper;
  readonly stops = new Set<() => void>();
  #phase = 'Pending';
  #initialized = false;
  #volumes: ReturnType<typeof makeVolumes> = new Map();
  #ended: Promise<void> | undefined;
  #lost = false;
  /** Set while the kubelet is about to tell the pod's status, in which all goes that happens until then. */
  #reporting = false;

  constructor(kubelet: Kubelet, pod: KubeObject, address: string) {
    this.#kubelet = kubelet;
    this.#keeper = new ContainerKeeper(kubelet, this);
    this.#pod = pod;
    this.#address = address;
    this.uid = pod.metadata.uid;
    this.#directory = join(kubelet.directory, this.uid);
    const waiting = pod.spec.initContainers?.length ? 'PodInitializing' : 'ContainerCreating';
    for (const spec of pod.spec.initContainers ?? [])
      this.slots.push(newSlot(spec.restartPolicy === 'Always' ? 'sidecar' : 'init', spec, 'PodInitializing'));
    for (const spec of pod.spec.containers) this.slots.push(newSlot('app', spec, waiting));
  }

  get pod(): KubeObject {
    return this.#pod;
  }

  get isOver(): boolean {
    return this.terminating || this.#ended !== undefined;
  }

  get running(): boolean {
    return this.sandbox !== undefined;
  }

  slot(name: string): Slot | undefined {
    return this.slots.find(({ spec }) => spec.name === name);
  }

  async run(): Promise<void> {
    await hold('sync');
    if (this.terminating) return;
    this.report();
    try {
      mkdirSync(join(this.#directory, 'shm'), { recursive: true });
      chmodSync(join(this.#directory, 'shm'), 0o1777);
      const { hostname = this.#pod.metadata.name.slice(0, 63), shareProcessNamespace = false } = this.#pod.spec;
      const sandbox = await this.#kubelet.isolation.createSandbox(
        hostname.replace(/\.+$/, ''),
        this.#address,
        shareProcessNamespace,
      );
      await hold('sandbox');
      // deleted meanwhile
      if (this.terminating) return await sandbox.destroy();
      this.sandbox = sandbox;
      await this.until(() => {
        this.#volumes = makeVolumes(this.#pod, join(this.#directory, 'volumes'), this.#sources());
      });
      for (const slot of this.slots.filter(({ kind }) => kind === 'init' || kind === 'sidecar')) {
        if (this.terminating) return;
        if (!(await this.#runInit(slot))) return await this.#finish('Failed');
      }
      this.#initialized = true;
      const apps = this.slots.filter(({ kind }) => kind === 'app');
      for (const slot of apps) if (slot.state.waiting) slot.state = { waiting: { reason: 'ContainerCreating' } };
      this.adopt(this.#pod);
      const codes = await Promise.all(apps.map((slot) => this.#keeper.keep(slot)));
      if (!this.terminating) await this.#finish(codes.every((code) => code === 0) ? 'Succeeded' : 'Failed');
    } catch (error) {
      if (this.terminating) return;
      this.#kubelet.event(this.#pod, 'Warning', 'FailedCreatePodSandBox', (error as Error).message);
    }
  }

  /** Takes a newer version of the pod: starts ephemeral containers that were added. */
  adopt(pod: KubeObject): void {
    this.#pod = pod;
    for (const spec of pod.spec.ephemeralContainers ?? []) {
      if (this.slot(spec.name)) continue;
      const slot = newSlot('ephemeral', spec, 'ContainerCreating');
      this.slots.push(slot);
      if (this.#initialized && !this.terminating) void this.#keeper.keep(slot);
    }
  }

  async #runInit(slot: Slot): Promise<boolean> {
    if (slot.kind === 'sidecar') {
      void this.#keeper.keep(slot);
      while (!slot.started && !this.terminating) await sleep(20);
      return true;
    }
    return (await this.#keeper.keep(slot)) === 0;
  }

  prepare(slot: Slot): ContainerSpec {
    const { targetContainerName } = slot.spec;
    return prepareContainer(slot, {
      pod: this.#pod,
      kubelet: this.#kubelet,
      directory: this.#directory,
      address: this.#address,
      volumes: this.#volumes,
      sources: this.#sources(),
      joinPids: targetContainerName ? this.slot(targetContainerName)?.run?.pid : undefined,
    });
  }

  /** Brings the files of its volumes up to date with a ConfigMap or Secret that changed. */
  refresh(kind: 'configMap' | 'secret', name: string): void {
    if (this.#initialized && !this.isOver && usesSource(this.#pod, kind, name))
      refreshVolumes(this.#pod, join(this.#directory, 'volumes'), this.#sources());
  }

  async #finish(phase: string): Promise<void> {
    this.#phase = phase;
    this.#ended ??= this.#tearDown(this.#pod.spec.terminationGracePeriodSeconds ?? 30);
    await this.#ended;
    this.report();
  }

  /** Ends the pod: SIGTERM, after `graceSeconds` SIGKILL, then its namespaces go. */
  async terminate(graceSeconds: number): Promise<void> {
    this.terminating = true;
    this.ending = true;
    this.#ended ??= this.#tearDown(graceSeconds);
    await this.#ended;
    const codes = this.slots.filter(({ kind }) => kind === 'app').map(({ state }) => state.terminated?.exitCode);
    if (this.#phase !== 'Succeeded') this.#phase = codes.every((code) => code === 0) ? 'Succeeded' : 'Failed';
    this.report();
  }

  /** As when the node is lost: every process dies, streams stand still, and nobody writes the pod's status any more. */
  lose(): void {
    this.terminating = true;
    this.#lost = true;
    for (const { run } of this.slots) run?.signalAll('SIGKILL');
  }

  async #tearDown(graceSeconds: number): Promise<void> {
    for (const stop of this.stops) stop();
    const live = (...kinds: string[]) =>
      this.slots.filter((slot) => slot.run && kinds.includes(slot.kind)).map(({ run }) => run!);
    await Promise.all(live('app', 'init', 'ephemeral').map((run) => stopRun(run, graceSeconds)));
    await Promise.all(live('sidecar').map((run) => stopRun(run, graceSeconds)));
    const { sandbox } = this;
    this.sandbox = undefined;
    await sandbox?.destroy();
    // what the pod mounted outside its own namespaces is only memory-backed emptyDirs; they go with the cluster's
    this.#kubelet.unmountBelow(this.#directory);
    rmSync(this.#directory, { recursive: true, force: true });
  }

  /** Repeats while something is missing, showing it as the container's state. Undefined when the pod ends first. */
  async until<T>(make: () => T | Promise<T>, slot?: Slot): Promise<T | undefined> {
    for (let round = 0; !this.terminating && !this.#ended; round++) {
      try {
        return await make();
      } catch (error) {
        const reason = error instanceof NotReady ? error.reason : 'CreateContainerError';
        const shown = reason === 'ErrImagePull' && round % 2 === 1 ? 'ImagePullBackOff' : reason;
        const message =
          shown === 'ImagePullBackOff' && slot
            ? `Back-off pulling image "${slot.spec.image}"`
            : (error as Error).message;
        for (const one of slot ? [slot] : this.slots) one.state = { waiting: { reason: shown, message } };
        this.report();
        await this.pause(retryMs);
      }
    }
    return undefined;
  }

  /** Sleeps, but not beyond the pod's end. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.stops.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.stops.add(done);
    });
  }

  report(): void {
    if (this.#reporting) return;
    this.#reporting = true;
    later('status', () => {
      this.#reporting = false;
      this.#report();
    });
  }

  #report(): void {
    if (this.#lost) return;
    if (
      this.#phase === 'Pending' &&
      this.#initialized &&
      this.slots.some((s) => s.kind === 'app' && (s.run || s.state.terminated))
    )
      this.#phase = 'Running';
    const state: PodState = {
      phase: this.#phase,
      address: this.sandbox || this.#ended ? this.#address : undefined,
      startTime: this.#startTime,
      sandboxReady: this.sandbox !== undefined,
      initialized: this.#initialized || !this.slots.some(({ kind }) => kind === 'init' || kind === 'sidecar'),
      slots: this.slots,
    };
    this.#kubelet.writeStatus(this, state);
  }

  #sources(): VolumeSources {
    const { namespace, name, uid } = this.#pod.metadata;
    const withAddress = { ...this.#pod, status: { ...this.#pod.status, podIP: this.#address, hostIP: '10.88.0.1' } };
    return this.#kubelet.sources(namespace, this.#pod.spec.serviceAccountName, { name, uid }, (path) =>
      podField(withAddress, path),
    );
  }
}
