/** The agent's part in the app's main thread: on standby behind a port, or beside a worker that answers. docs/adr/0001 says why. */
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
import { type OwnWorker, startOwnWorker } from './own-worker.ts';
import { startRecorder } from './recorder.ts';
import { showOwnSigusr1 } from './sigusr1.ts';
import { openStandby, type Standby } from './standby.ts';
import type { Task, ToWorker } from './task.ts';
import { leaveUncounted, listenersNow } from './uncounted.ts';
import { watchWaysOut } from './ways-out.ts';

/** On a main thread, that is asked for nothing while nothing happens. */
const standbyPaces = { firstMs: 100, lastMs: 300_000 };
/** How long an ending app waits until its worker has closed its sessions and kept what there is to keep; it takes some milliseconds. */
const leaveMs = 1_000;
/** What following a worker of one's own may take. */
const followMs = 50;

export interface Guest {
  /** Resolves with the port once the agent answers, or undefined when it is closed before. */
  readonly ready: Promise<number | undefined>;
  close(): Promise<void>;
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
  let running: OwnWorker | undefined;
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

  function startWorker(role: Task['role']): OwnWorker | undefined {
    const mainPort = standby?.port ?? 0;
    const task = { role, settings, identity, port: shared, mainPort, recorder: recorder.task() };
    const is = () => started !== undefined && running === started;
    const started = startOwnWorker(workerSource, task, {
      second: () => is() && election?.send({ type: 'worker-second' }),
      idle: () => is() && letEnd(started!),
      up(port) {
        if (!is()) return;
        answersOn(port);
        if (role === 'watcher') election?.send({ type: 'worker-watches' });
        if (contention?.leads) handOver();
      },
      exit() {
        if (!is()) return;
        running = undefined;
        if (closed) return;
        recorder.rest();
        stand();
        if (role === 'watcher') election?.send({ type: 'worker-ended' });
        else if (settings.mode === 'standby' && !contention) begin(0);
      },
    });
    return started;
  }

  /** The known port is better kept by a worker, that answers while this thread is blocked. */
  function handOver(): void {
    if (running?.port === undefined || running.ending) return;
    contention?.end();
    contention = undefined;
    running.tell('lead');
  }

  /** This thread follows its own worker as it would any leader, and so has the known port the moment the worker ends. */
  function letEnd(ended: OwnWorker): void {
    if (settings.mode === 'standby' && !contention) begin(0);
    setTimeout(
      guarded(() => ended.tell('rest')),
      followMs,
    ).unref();
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
    stopped?.tell('end');
  }

  /** Has the worker do something before the process ends; false where there is none to do it. */
  function giveAndWait(message: ToWorker): boolean {
    if (!running?.give(message)) return false;
    running.departure.settle(leaveMs);
    return true;
  }

  const stopShowing = showOwnSigusr1(() => standby?.close());
  const leaveNoFile = guarded(() => {
    waitForWriter(shared);
    removePortFile(settings.configDir, process.pid, Atomics.load(shared, 0));
  });
  const listeners = listenersNow();
  const stopWatching = watchWaysOut({
    exit(code) {
      running?.departure.leave();
      const last = recorder.last(code);
      const cleans = settings.shutdownCleanup;
      if (giveAndWait({ t: 'leave', last, cleans })) return;
      guarded(() => recorder.finish(last))();
      if (cleans) leaveNoFile();
    },
    suddenly() {
      const left = running?.departure;
      left?.leave();
      giveAndWait({ t: 'close' });
      return () => left?.leave(false);
    },
  });
  countErrors();
  const recorder = startRecorder(identity, process.env, (record) => {
    const message: ToWorker = { t: 'keep', record };
    return record.fatal ? giveAndWait(message) : running?.give(message) === true;
  });
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
      stopWatching();
      const ended = running;
      running = undefined;
      await ended?.terminate();
      leaveNoFile();
    },
  };
}
