/** The life of one pod: sandbox, init containers in order, containers, restarts, end. */
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Json, KubeObject } from '../api/types.ts';
import type { ContainerSpec, Run } from './container.ts';
import { podField } from './environment.ts';
import type { Kubelet } from './kubelet.ts';
import { newSlot, type PodState, type Slot, timestamp } from './podstatus.ts';
import { prepareContainer, StartError } from './prepare.ts';
import { watchProbe } from './probes.ts';
import type { PodSandbox } from './sandbox.ts';
import { makeVolumes, NotReady, type VolumeSources } from './volumes.ts';

/** How often the kubelet tries again to make what is not there yet. */
const retryMs = 1000;
/** A run this long forgets earlier crashes. */
const forgiveMs = 600_000;
const backoffLimitMs = 300_000;

export class PodWorker {
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
  readonly #stops = new Set<() => void>();
  #phase = 'Pending';
  #initialized = false;
  #volumes: ReturnType<typeof makeVolumes> = new Map();
  #ended: Promise<void> | undefined;
  #lost = false;

  constructor(kubelet: Kubelet, pod: KubeObject, address: string) {
    this.#kubelet = kubelet;
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

  get running(): boolean {
    return this.sandbox !== undefined;
  }

  slot(name: string): Slot | undefined {
    return this.slots.find(({ spec }) => spec.name === name);
  }

  async run(): Promise<void> {
    this.#report();
    try {
      mkdirSync(join(this.#directory, 'shm'), { recursive: true });
      chmodSync(join(this.#directory, 'shm'), 0o1777);
      const { hostname = this.#pod.metadata.name.slice(0, 63), shareProcessNamespace = false } = this.#pod.spec;
      const sandbox = await this.#kubelet.isolation.createSandbox(
        hostname.replace(/\.+$/, ''),
        this.#address,
        shareProcessNamespace,
      );
      // deleted meanwhile
      if (this.terminating) return await sandbox.destroy();
      this.sandbox = sandbox;
      await this.#until(() => {
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
      const codes = await Promise.all(apps.map((slot) => this.#keep(slot)));
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
      if (this.#initialized && !this.terminating) void this.#keep(slot);
    }
  }

  async #runInit(slot: Slot): Promise<boolean> {
    if (slot.kind === 'sidecar') {
      void this.#keep(slot);
      while (!slot.started && !this.terminating) await sleep(20);
      return true;
    }
    return (await this.#keep(slot)) === 0;
  }

  /** Runs a container, again and again if its policy says so. Resolves with its last exit code. */
  async #keep(slot: Slot): Promise<number> {
    const { restartPolicy } = this.#pod.spec;
    for (;;) {
      const code = await this.#runOnce(slot);
      const again =
        slot.kind === 'sidecar' ||
        (slot.kind === 'app' && restartPolicy === 'Always') ||
        (slot.kind !== 'ephemeral' && restartPolicy !== 'Never' && code !== 0);
      if (this.terminating || this.#ended || !again) return code;
      await this.#backOff(slot);
      if (this.terminating || this.#ended) return code;
      slot.restartCount++;
    }
  }

  async #backOff(slot: Slot): Promise<void> {
    const { startedAt, finishedAt } = slot.state.terminated;
    if (Date.parse(finishedAt) - Date.parse(startedAt) > forgiveMs) slot.backoffMs = 0;
    const waitMs = slot.backoffMs;
    slot.backoffMs = Math.min(waitMs ? waitMs * 2 : this.#kubelet.crashBackoffMs, backoffLimitMs);
    const { name, namespace, uid } = this.#pod.metadata;
    slot.previousLog = slot.log;
    if (waitMs === 0) {
      slot.lastState = slot.state;
      return;
    }
    slot.lastState = slot.state;
    slot.state = {
      waiting: {
        reason: 'CrashLoopBackOff',
        message: `back-off ${goDuration(waitMs)} restarting failed container=${slot.spec.name} pod=${name}_${namespace}(${uid})`,
      },
    };
    this.#report();
    this.#kubelet.event(
      this.#pod,
      'Warning',
      'BackOff',
      `Back-off restarting failed container ${slot.spec.name} in pod ${name}_${namespace}(${uid})`,
      slot,
    );
    await this.#pause(waitMs);
  }

  async #runOnce(slot: Slot): Promise<number> {
    const started = await this.#until(() => this.#start(slot), slot);
    if (!started) return 137;
    if (typeof started === 'number') return started;
    const run = started;
    const stopProbes = this.#probe(slot, run);
    const { exitCode, oomKilled } = await run.exited;
    stopProbes();
    const reason = oomKilled && exitCode !== 0 ? 'OOMKilled' : exitCode === 0 ? 'Completed' : 'Error';
    slot.run = undefined;
    slot.ready = false;
    slot.started = false;
    slot.state = {
      terminated: {
        exitCode,
        reason,
        startedAt: timestamp(run.startedAt),
        finishedAt: timestamp(),
        containerID: `containerd://${slot.id}`,
      },
    };
    // an init container that succeeded counts as ready
    if (slot.kind === 'init') slot.ready = exitCode === 0;
    this.#report();
    return exitCode;
  }

  /** The running container, or the exit code of one whose command does not exist. */
  async #start(slot: Slot): Promise<Run | number> {
    const { spec } = slot;
    const event = (type: string, reason: string, message: string) =>
      this.#kubelet.event(this.#pod, type, reason, message, slot);
    let prepared: ContainerSpec;
    try {
      prepared = prepareContainer(slot, {
        pod: this.#pod,
        kubelet: this.#kubelet,
        directory: this.#directory,
        address: this.#address,
        volumes: this.#volumes,
        sources: this.#sources(),
        joinPids: spec.targetContainerName ? this.slot(spec.targetContainerName)?.run?.pid : undefined,
      });
    } catch (error) {
      event('Warning', 'Failed', `Error: ${(error as Error).message}`);
      if (error instanceof StartError) return this.#couldNotStart(slot, error.message);
      throw error;
    }
    event(
      'Normal',
      'Pulled',
      `Container image "${spec.image}" already present on machine and can be accessed by the pod`,
    );
    event('Normal', 'Created', 'Container created');
    const run = await this.#kubelet.isolation.startContainer(prepared, this.sandbox!);
    slot.run = run;
    slot.log = run.log;
    slot.state = { running: { startedAt: timestamp(run.startedAt) } };
    slot.started = slot.kind !== 'ephemeral' && !spec.startupProbe;
    slot.ready = slot.kind !== 'ephemeral' && slot.kind !== 'init' && slot.started && !spec.readinessProbe;
    if (this.terminating) run.signal('SIGKILL');
    event('Normal', 'Started', 'Container started');
    this.#report();
    return run;
  }

  #couldNotStart(slot: Slot, message: string): number {
    const [startedAt, finishedAt, containerID] = ['1970-01-01T00:00:00Z', timestamp(), `containerd://${slot.id}`];
    slot.state = { terminated: { exitCode: 128, reason: 'StartError', message, startedAt, finishedAt, containerID } };
    this.#report();
    return 128;
  }

  #probe(slot: Slot, run: Run): () => void {
    const { readinessProbe, livenessProbe, startupProbe } = slot.spec;
    const stops: (() => void)[] = [];
    const watch = (check: Json, kind: string, onResult: (passed: boolean) => void) => {
      const stop = watchProbe(check, slot.spec, run, this.sandbox!, {
        onResult,
        onFailure: (message) =>
          this.#kubelet.event(this.#pod, 'Warning', 'Unhealthy', `${kind} probe failed: ${message}`, slot),
      });
      stops.push(stop);
      return stop;
    };
    const kill = (kind: string) => {
      this.#kubelet.event(
        this.#pod,
        'Normal',
        'Killing',
        `Container ${slot.spec.name} failed ${kind} probe, will be restarted`,
        slot,
      );
      void this.#stopRun(run, this.#pod.spec.terminationGracePeriodSeconds ?? 30);
    };
    const begin = () => {
      slot.started = true;
      if (livenessProbe) watch(livenessProbe, 'Liveness', (passed) => passed || kill('liveness'));
      if (readinessProbe) watch(readinessProbe, 'Readiness', (passed) => this.#setReady(slot, passed));
      else this.#setReady(slot, slot.kind !== 'ephemeral' && slot.kind !== 'init');
    };
    if (startupProbe) {
      const stop = watch(startupProbe, 'Startup', (passed) => {
        stop();
        if (passed) begin();
        else kill('startup');
      });
    } else if (livenessProbe || readinessProbe) begin();
    const stopAll = () => {
      for (const stop of stops) stop();
      this.#stops.delete(stopAll);
    };
    this.#stops.add(stopAll);
    return stopAll;
  }

  #setReady(slot: Slot, ready: boolean): void {
    slot.ready = ready;
    this.#report();
  }

  async #finish(phase: string): Promise<void> {
    this.#phase = phase;
    this.#ended ??= this.#tearDown(this.#pod.spec.terminationGracePeriodSeconds ?? 30);
    await this.#ended;
    this.#report();
  }

  /** Ends the pod: SIGTERM, after `graceSeconds` SIGKILL, then its namespaces go. */
  async terminate(graceSeconds: number): Promise<void> {
    this.terminating = true;
    this.ending = true;
    this.#ended ??= this.#tearDown(graceSeconds);
    await this.#ended;
    const codes = this.slots.filter(({ kind }) => kind === 'app').map(({ state }) => state.terminated?.exitCode);
    if (this.#phase !== 'Succeeded') this.#phase = codes.every((code) => code === 0) ? 'Succeeded' : 'Failed';
    this.#report();
  }

  /** As when the node is lost: every process dies, streams stand still, and nobody writes the pod's status any more. */
  lose(): void {
    this.terminating = true;
    this.#lost = true;
    for (const { run } of this.slots) run?.signalAll('SIGKILL');
  }

  async #tearDown(graceSeconds: number): Promise<void> {
    for (const stop of this.#stops) stop();
    const live = (...kinds: string[]) =>
      this.slots.filter((slot) => slot.run && kinds.includes(slot.kind)).map(({ run }) => run!);
    await Promise.all(live('app', 'init', 'ephemeral').map((run) => this.#stopRun(run, graceSeconds)));
    await Promise.all(live('sidecar').map((run) => this.#stopRun(run, graceSeconds)));
    const { sandbox } = this;
    this.sandbox = undefined;
    await sandbox?.destroy();
    // what the pod mounted outside its own namespaces is only memory-backed emptyDirs; they go with the cluster's
    this.#kubelet.unmountBelow(this.#directory);
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #stopRun(run: Run, graceSeconds: number): Promise<void> {
    run.signal('SIGTERM');
    // a stopped process would sleep through SIGTERM: the kernel keeps it for later
    const timer = setTimeout(() => run.signalAll('SIGKILL'), graceSeconds * 1000);
    await run.exited;
    clearTimeout(timer);
  }

  /** Repeats while something is missing, showing it as the container's state. Undefined when the pod ends first. */
  async #until<T>(make: () => T | Promise<T>, slot?: Slot): Promise<T | undefined> {
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
        this.#report();
        await this.#pause(retryMs);
      }
    }
    return undefined;
  }

  /** Sleeps, but not beyond the pod's end. */
  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#stops.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#stops.add(done);
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

/** As Go prints it: `10s`, `1m20s`. */
export function goDuration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  return ms < 1000 ? `${ms}ms` : minutes ? `${minutes}m${seconds % 60}s` : `${seconds}s`;
}
