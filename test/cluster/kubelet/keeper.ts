/** The life of one container of a pod: its runs, probes, restarts. */
import type { Json, KubeObject } from '../api/types.ts';
import { hold } from '../pace.ts';
import type { ContainerSpec, Run } from './container.ts';
import type { Kubelet } from './kubelet.ts';
import { type Slot, timestamp } from './podstatus.ts';
import { StartError } from './prepare.ts';
import { watchProbe } from './probes.ts';
import type { PodSandbox } from './sandbox.ts';

/** A run this long forgets earlier crashes. */
const forgiveMs = 600_000;
const backoffLimitMs = 300_000;

/** What a container's life needs of its pod. */
export interface KeptPod {
  readonly pod: KubeObject;
  readonly sandbox: PodSandbox | undefined;
  /** Nothing is started any more. */
  readonly isOver: boolean;
  /** Called when the pod ends. */
  readonly stops: Set<() => void>;
  /** Throws NotReady for what is missing for now, StartError for a command that does not exist. */
  prepare(slot: Slot): ContainerSpec;
  /** Repeats while something is missing; undefined when the pod ends first. */
  until<T>(make: () => T | Promise<T>, slot?: Slot): Promise<T | undefined>;
  /** Sleeps, but not beyond the pod's end. */
  pause(ms: number): Promise<void>;
  /** Writes the pod's status. */
  report(): void;
}

export class ContainerKeeper {
  readonly #kubelet: Kubelet;
  readonly #owner: KeptPod;

  constructor(kubelet: Kubelet, owner: KeptPod) {
    this.#kubelet = kubelet;
    this.#owner = owner;
  }

  /** Runs a container, again and again if its policy says so. Resolves with its last exit code. */
  async keep(slot: Slot): Promise<number> {
    const { restartPolicy } = this.#owner.pod.spec;
    for (;;) {
      const code = await this.#runOnce(slot);
      const again =
        slot.kind === 'sidecar' ||
        (slot.kind === 'app' && restartPolicy === 'Always') ||
        (slot.kind !== 'ephemeral' && restartPolicy !== 'Never' && code !== 0);
      if (this.#owner.isOver || !again) return code;
      await this.#backOff(slot);
      if (this.#owner.isOver) return code;
      slot.restartCount++;
    }
  }

  async #backOff(slot: Slot): Promise<void> {
    const { startedAt, finishedAt } = slot.state.terminated;
    if (Date.parse(finishedAt) - Date.parse(startedAt) > forgiveMs) slot.backoffMs = 0;
    const waitMs = slot.backoffMs;
    slot.backoffMs = Math.min(waitMs ? waitMs * 2 : this.#kubelet.crashBackoffMs, backoffLimitMs);
    const { name, namespace, uid } = this.#owner.pod.metadata;
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
    this.#owner.report();
    this.#kubelet.event(
      this.#owner.pod,
      'Warning',
      'BackOff',
      `Back-off restarting failed container ${slot.spec.name} in pod ${name}_${namespace}(${uid})`,
      slot,
    );
    await this.#owner.pause(waitMs);
  }

  async #runOnce(slot: Slot): Promise<number> {
    const started = await this.#owner.until(() => this.#start(slot), slot);
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
    this.#owner.report();
    return exitCode;
  }

  /** The running container, or the exit code of one whose command does not exist. */
  async #start(slot: Slot): Promise<Run | number> {
    const { spec } = slot;
    const event = (type: string, reason: string, message: string) =>
      this.#kubelet.event(this.#owner.pod, type, reason, message, slot);
    await hold(this.#kubelet.images.mustAskRegistry(spec) ? 'pull' : 'container');
    if (this.#owner.isOver) return 137;
    let prepared: ContainerSpec;
    try {
      prepared = this.#owner.prepare(slot);
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
    const run = await this.#kubelet.isolation.startContainer(prepared, this.#owner.sandbox!);
    slot.run = run;
    slot.log = run.log;
    slot.state = { running: { startedAt: timestamp(run.startedAt) } };
    slot.started = slot.kind !== 'ephemeral' && !spec.startupProbe;
    slot.ready = slot.kind !== 'ephemeral' && slot.kind !== 'init' && slot.started && !spec.readinessProbe;
    if (this.#owner.isOver) run.signal('SIGKILL');
    event('Normal', 'Started', 'Container started');
    this.#owner.report();
    return run;
  }

  #couldNotStart(slot: Slot, message: string): number {
    const [startedAt, finishedAt, containerID] = ['1970-01-01T00:00:00Z', timestamp(), `containerd://${slot.id}`];
    slot.state = { terminated: { exitCode: 128, reason: 'StartError', message, startedAt, finishedAt, containerID } };
    this.#owner.report();
    return 128;
  }

  #probe(slot: Slot, run: Run): () => void {
    const { readinessProbe, livenessProbe, startupProbe } = slot.spec;
    const stops: (() => void)[] = [];
    const watch = (check: Json, kind: string, onResult: (passed: boolean) => void) => {
      const stop = watchProbe(check, slot.spec, run, this.#owner.sandbox!, {
        onResult,
        onFailure: (message) =>
          this.#kubelet.event(this.#owner.pod, 'Warning', 'Unhealthy', `${kind} probe failed: ${message}`, slot),
      });
      stops.push(stop);
      return stop;
    };
    const kill = (kind: string) => {
      this.#kubelet.event(
        this.#owner.pod,
        'Normal',
        'Killing',
        `Container ${slot.spec.name} failed ${kind} probe, will be restarted`,
        slot,
      );
      void stopRun(run, this.#owner.pod.spec.terminationGracePeriodSeconds ?? 30);
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
      this.#owner.stops.delete(stopAll);
    };
    this.#owner.stops.add(stopAll);
    return stopAll;
  }

  #setReady(slot: Slot, ready: boolean): void {
    slot.ready = ready;
    this.#owner.report();
  }
}

/** SIGTERM, and SIGKILL after that time. Resolves when the run has ended. */
export async function stopRun(run: Run, graceSeconds: number): Promise<void> {
  run.signal('SIGTERM');
  // a stopped process would sleep through SIGTERM: the kernel keeps it for later
  const timer = setTimeout(() => run.signalAll('SIGKILL'), graceSeconds * 1000);
  await run.exited;
  clearTimeout(timer);
}

/** As Go prints it: `10s`, `1m20s`. */
export function goDuration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  return ms < 1000 ? `${ms}ms` : minutes ? `${minutes}m${seconds % 60}s` : `${seconds}s`;
}
