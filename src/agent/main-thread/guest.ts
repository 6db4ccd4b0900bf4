/** The agent's part in the app's main thread: on standby behind a port, or beside a worker that answers. docs/adr/0001 says why. */
import { Worker } from 'node:worker_threads';
import { countErrors, stopCountingErrors } from '../../inspect/error-counter.ts';
import { removePortFile, waitForWriter, writePortFile } from '../membership/config-dir.ts';
import { type Contention, contend } from '../membership/contend.ts';
import {
  beginElection,
  type Election,
  type ElectionEffect,
  type ElectionEvent,
  elect,
  linkAfterMs,
} from '../membership/election.ts';
import { identify } from '../membership/identity.ts';
import { type Machine, run } from '../membership/machine.ts';
import { hold, isHeld, link, watcherName } from '../membership/names.ts';
import type { Settings } from '../settings/agent-settings.ts';
import { trackCreations } from '../tracking/track.ts';
import { guarded } from './guarded.ts';
import { cannotHost } from './host.ts';
import { startRecorder } from './recorder.ts';
import { showOwnSigusr1 } from './sigusr1.ts';
import { openStandby, type Standby } from './standby.ts';
import type { FromWorker, Task, ToWorker } from './task.ts';
import { leaveUncounted, listenersNow } from './uncounted.ts';

/** The worker's own heap; without it a leak of ours would end the app. */
const workerHeapMb = 256;
/** On a main thread, that is asked for nothing while nothing happens. */
const standbyPaces = { firstMs: 100, lastMs: 300_000 };
/** What following a worker of one's own may take. */
const followMs = 50;

export interface Guest {
  /** Resolves with the port once the agent answers, or undefined when it is closed before. */
  readonly ready: Promise<number | undefined>;
  close(): Promise<void>;
}

interface Running {
  readonly worker: Worker;
  readonly role: Task['role'];
  /** Its port; undefined when it ended before it had one. */
  readonly up: Promise<number | undefined>;
  /** Whether it has the known port, once it was told to try. */
  readonly leads: Promise<boolean>;
  port: number | undefined;
  /** It was told to end, unless somebody asks; settles when it has, or does not. */
  ended: Promise<void> | undefined;
  ending: boolean;
}

/** Starts the agent. Never throws, prints or keeps the process alive. */
export function startGuest(settings: Settings, workerSource: string): Guest {
  const identity = identify(settings);
  const shared = new Int32Array(new SharedArrayBuffer(12));
  let isReady: (port: number | undefined) => void = () => {};
  const ready = new Promise<number | undefined>((resolve) => {
    isReady = resolve;
  });
  let closed = false;
  let running: Running | undefined;
  let standby: Standby | undefined;
  let contention: Contention | undefined;

  const answersOn = (port: number): void => {
    Atomics.store(shared, 0, port);
    isReady(port);
  };

  /** From now on this process can be found and woken. */
  function stand(): void {
    if (closed) return;
    standby ??= openStandby({
      token: settings.token,
      seed: Date.parse(identity.info.startedAt),
      introduction: (port) => ({
        info: { ...identity.info, port, leader: contention?.leads === true },
        version: identity.version,
        kin: identity.kin,
        heapLimitBytes: identity.heapLimitBytes,
        knownPort: settings.port,
        role: 'standby',
      }),
      wake: async (known) => {
        // one that is about to end gives the known port back first
        while (running?.ending) await running.ended;
        const own = await work('awake');
        if (!known || own === undefined) return own;
        // whoever has the known port by now answers for the pod: this worker, or another that was faster
        await running?.leads;
        return settings.port;
      },
    });
    if (standby.port === 0 || running) return;
    answersOn(standby.port);
    writePortFile(settings.configDir, process.pid, standby.port);
  }

  /** The worker, started where there is none. */
  function work(role: Task['role']): Promise<number | undefined> {
    // permissions may have been dropped since
    if (closed || cannotHost()) return Promise.resolve(undefined);
    running ??= startWorker(role);
    return running?.up ?? Promise.resolve(undefined);
  }

  function startWorker(role: Task['role']): Running | undefined {
    const mainPort = standby?.port ?? 0;
    let worker: Worker;
    try {
      const task: Task = { role, settings, identity, port: shared, mainPort, recorder: recorder.task() };
      worker = new Worker(workerSource, {
        eval: true,
        name: 'nodeops',
        // neither the app's preloads nor its variables, and nothing of ours on its stdout and stderr
        execArgv: [],
        env: {},
        stdout: true,
        stderr: true,
        trackUnmanagedFds: false,
        // a small young generation: what a flood of connections leaves is collected before it becomes the app's memory
        resourceLimits: { maxOldGenerationSizeMb: workerHeapMb, maxYoungGenerationSizeMb: 4 },
        workerData: task,
      });
    } catch {
      // no thread to be had
      return undefined;
    }
    let settle: (port: number | undefined) => void = () => {};
    const up = new Promise<number | undefined>((resolve) => {
      settle = resolve;
    });
    let lead: (leads: boolean) => void = () => {};
    const leads = new Promise<boolean>((resolve) => {
      lead = resolve;
    });
    const started: Running = { worker, role, up, leads, port: undefined, ended: undefined, ending: false };
    let over: () => void = () => {};
    worker.on(
      'message',
      guarded((message: FromWorker) => {
        if (running !== started) return;
        if (message.t === 'second') return void election?.send({ type: 'worker-second' });
        if (message.t === 'contends') return lead(message.leads);
        if (message.t === 'idle') {
          started.ended = new Promise((resolve) => {
            over = resolve;
          });
          return letEnd(started);
        }
        started.port = message.port;
        started.ending = false;
        over();
        answersOn(message.port);
        settle(message.port);
        if (role === 'watcher') election?.send({ type: 'worker-watches' });
        if (contention?.leads) handOver();
      }),
    );
    worker.on('error', () => {});
    worker.on(
      'exit',
      guarded(() => {
        started.ending = false;
        settle(undefined);
        lead(false);
        over();
        if (running !== started) return;
        running = undefined;
        if (closed) return;
        recorder.rest();
        stand();
        if (role === 'watcher') election?.send({ type: 'worker-ended' });
        else if (settings.mode === 'standby' && !contention) begin(0);
      }),
    );
    worker.unref();
    return started;
  }

  /** The known port is better kept by a worker, that answers while this thread is blocked. */
  function handOver(): void {
    if (running?.port === undefined || running.ending) return;
    contention?.end();
    contention = undefined;
    running.worker.postMessage('lead' satisfies ToWorker);
  }

  /** This thread follows its own worker as it would any leader, and so has the known port the moment the worker ends. */
  function letEnd(ended: Running): void {
    ended.ending = true;
    if (settings.mode === 'standby' && !contention) begin(0);
    const ending = setTimeout(
      guarded(() => ended.worker.postMessage('rest' satisfies ToWorker)),
      followMs,
    );
    ending.unref();
  }

  /** Without a watcher: tries for the known port, or follows who has it. */
  function begin(linkAfter: number): void {
    stand();
    if (settings.port === 0) return;
    contention = contend({
      settings,
      paces: standbyPaces,
      linkAfterMs: linkAfter,
      take: (socket) => (standby ? standby.take(socket) : socket.destroy()),
      changed: handOver,
    });
  }

  let candidacy: { release(): void } | undefined;
  let linked: { end(): void } | undefined;
  let timer: NodeJS.Timeout | undefined;
  let election: Machine<Election, ElectionEvent> | undefined;
  const act = (effect: ElectionEffect, send: (event: ElectionEvent) => void): void => {
    switch (effect.do) {
      case 'take-candidacy':
        candidacy = hold(watcherName(identity.kin, settings.port, 'candidate'));
        send({ type: candidacy ? 'named' : 'name-taken' });
        return;
      case 'drop-candidacy':
        candidacy?.release();
        candidacy = undefined;
        return;
      case 'start-worker':
        // one that was only awake for a while makes room for one that stays
        if (running?.role === 'awake') stop();
        void work('watcher');
        if (!running) send({ type: 'worker-ended' });
        return;
      case 'link':
        stand();
        linked = link(
          watcherName(identity.kin, settings.port),
          guarded((outcome: 'held' | 'refused' | 'lost') =>
            send({ type: outcome === 'held' ? 'linked' : outcome === 'lost' ? 'link-lost' : 'link-refused' }),
          ),
        );
        return;
      case 'wait':
        stand();
        timer = setTimeout(
          guarded(() => send({ type: 'due' })),
          effect.ms,
        );
        timer.unref();
        return;
      case 'let-go':
        clearTimeout(timer);
        candidacy?.release();
        linked?.end();
    }
  };

  function stop(): void {
    const stopped = running;
    running = undefined;
    stopped?.worker.postMessage('end' satisfies ToWorker);
  }

  const stopShowing = showOwnSigusr1(() => standby?.close());
  const leaveNoFile = guarded(() => {
    waitForWriter(shared);
    removePortFile(settings.configDir, process.pid, Atomics.load(shared, 0));
  });
  const listeners = listenersNow();
  if (settings.shutdownCleanup) process.on('exit', leaveNoFile);
  countErrors();
  const recorder = startRecorder(identity, process.env);
  const count = leaveUncounted(listeners);
  const stopTracking = settings.track ? trackCreations() : undefined;
  if (settings.mode === 'standby') begin(linkAfterMs);
  else election = run(beginElection(isHeld(watcherName(identity.kin, settings.port))), elect, act);

  return {
    ready,
    async close() {
      if (closed) return;
      closed = true;
      isReady(undefined);
      election?.send({ type: 'end' });
      contention?.end();
      standby?.close();
      stopShowing();
      count();
      recorder.stop();
      stopCountingErrors();
      stopTracking?.();
      process.off('exit', leaveNoFile);
      const ended = running;
      running = undefined;
      await ended?.worker.terminate();
      leaveNoFile();
    },
  };
}
