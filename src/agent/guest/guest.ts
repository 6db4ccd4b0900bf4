/** The agent's part in the main thread: asleep on a lease, or awake with a worker. docs/adr/0001 says why. */
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { installCounters } from '../../inspect/counters.ts';
import { countErrors, stopCountingErrors } from '../../inspect/error-counter.ts';
import { removePortFile, removeStalePortFile, waitForWriter, writePortFile } from '../config-dir.ts';
import { identify } from '../identity.ts';
import { dialHost } from '../lease/address.ts';
import type { FromHost, Sibling } from '../lease/messages.ts';
import { startRecorder } from '../recorder/start.ts';
import type { Settings } from '../settings.ts';
import { trackCreations } from '../tracking/track.ts';
import type { FromWorker, Task } from '../worker.ts';
import { askForLease, type Lease } from './ask.ts';
import { guarded } from './guarded.ts';
import { cannotHost } from './host.ts';
import { isListening } from './occupied.ts';
import { ownsSigusr1, watchSigusr1 } from './sigusr1.ts';
import { leaveUncounted, listenersNow } from './uncounted.ts';

const workerRestarts = 3;
/** The worker's own heap; without it a leak of ours would end the app. */
const workerHeapMb = 256;
/** A wake that was waited for in vain is not followed any more: somebody else has answered. */
const wakeMs = 1_000;

export interface Guest {
  /** Resolves with the port once the agent answers, or undefined when it is closed before. */
  readonly ready: Promise<number | undefined>;
  close(): Promise<void>;
}

/** Starts the agent. Never throws, prints or keeps the process alive. */
export function startGuest(settings: Settings, workerSource: string): Guest {
  const identity = identify(settings);
  const known = { host: dialHost(settings.host), port: settings.port };
  const port = new Int32Array(new SharedArrayBuffer(12));
  let isReady: (port: number | undefined) => void = () => {};
  const ready = new Promise<number | undefined>((resolve) => {
    isReady = resolve;
  });
  let closed = false;
  let worker: Worker | undefined;
  let lease: Lease | undefined;
  let later: NodeJS.Timeout | undefined;
  let restarts = 0;
  let redirects = 0;
  let keeper = { pid: 0, port: 0 };
  let siblings: readonly Sibling[] = [];
  let rank = 0;

  const answersOn = (own: number) => {
    Atomics.store(port, 0, own);
    isReady(own);
  };
  const soon = (milliseconds: number, act: () => void) => {
    clearTimeout(later);
    later = setTimeout(guarded(act), milliseconds * (1 + Math.random() / 4));
    later.unref();
  };

  function join(): void {
    if (closed) return;
    if (known.port === 0 || !isListening(known.port)) return void keep();
    ask(known, () => keep());
  }

  function ask(address: { host: string; port: number }, nobody: () => void): void {
    if (closed || lease) return;
    let settled = false;
    lease = askForLease(
      address,
      { t: 'sleeper', kin: identity.kin, info: identity.info, version: identity.version, ownSigusr1: ownsSigusr1() },
      (message) => {
        settled ||= message.t === 'welcome';
        heard(message);
      },
      (wasAgent) => {
        lease = undefined;
        if (closed) return;
        if (settled) lost();
        else if (wasAgent) soon(300, join);
        else nobody();
      },
    );
    if (!lease) nobody();
  }

  function heard(message: FromHost): void {
    const leave = () => {
      lease?.end();
      lease = undefined;
    };
    switch (message.t) {
      case 'welcome':
        ({ keeper, rank } = message);
        siblings = [];
        redirects = 0;
        // a worker that found the container kept already may end now
        stopWorker();
        answersOn(message.port);
        writePortFile(settings.configDir, process.pid, message.port);
        break;
      case 'wake':
        if (Date.now() - message.at > wakeMs) lease?.send({ t: 'late' });
        else {
          lease?.send({ t: 'waking' });
          if (!worker) work({ mode: 'woken', key: message.key, keeperPort: keeper.port });
        }
        break;
      case 'siblings':
        // they may be signalled one day: only one that could do so itself is believed
        if (isOurs(message.proof)) siblings = message.siblings;
        break;
      case 'keep':
        leave();
        keep();
        break;
      case 'go':
        leave();
        if (++redirects > 3) soon(5_000, join);
        else ask({ host: '127.0.0.1', port: message.port }, () => soon(300, join));
        break;
      case 'retry':
        leave();
        soon(Math.min(5_000, Math.max(50, message.ms)), join);
        break;
      case 'refused':
        leave();
        soon(60_000, join);
        break;
      default:
        break;
    }
  }

  /** The keeper is gone: the sleepers follow in the order they came, so that one takes over and the others find it. */
  function lost(): void {
    // a woken worker hears it too late to be of use
    stopWorker();
    removeStalePortFile(settings.configDir, keeper.pid, keeper.port);
    removePortFile(settings.configDir, process.pid, Atomics.exchange(port, 0, 0));
    soon(rank === 0 ? 10 : 100 + (rank % 5) * 100, join);
  }

  const keep = () => {
    work({ mode: 'keeper', inherited: siblings });
    siblings = [];
  };

  function work(task: Task['role']): void {
    // permissions may have been dropped since
    if (closed || worker || cannotHost()) return;
    const task_: Task = { role: task, settings, identity, port, recorder: recorder.task };
    let started: Worker;
    try {
      started = new Worker(workerSource, {
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
        workerData: task_,
      });
    } catch {
      // no thread to be had
      return void again(task);
    }
    worker = started;
    const heardWorker = (message: FromWorker) => {
      if (worker !== started) return;
      if (message.t === 'ready') answersOn(message.port);
      else ask(known, () => {});
    };
    const ended = () => {
      if (worker !== started) return;
      worker = undefined;
      // a woken worker ends when it was not needed for a while
      if (task.mode === 'keeper') again(task);
    };
    started.on('message', guarded(heardWorker));
    started.on('error', () => {});
    started.on('exit', guarded(ended));
    started.unref();
  }

  function again(task: Task['role']): void {
    if (!closed && ++restarts <= workerRestarts)
      soon(1_000 * restarts, () => (task.mode === 'keeper' ? join() : undefined));
  }

  function stopWorker(): void {
    const stopped = worker;
    worker = undefined;
    stopped?.postMessage('end');
  }

  const stopWatching = watchSigusr1((own) => lease?.send({ t: 'sigusr1', own }));
  const leaveNoFile = guarded(() => {
    waitForWriter(port);
    removePortFile(settings.configDir, process.pid, Atomics.load(port, 0));
  });
  const listeners = listenersNow();
  if (settings.shutdownCleanup) process.on('exit', leaveNoFile);
  installCounters();
  countErrors();
  const recorder = startRecorder(identity, process.env, () => {
    if (!worker) lease?.send({ t: 'short' });
  });
  const count = leaveUncounted(listeners);
  const stopTracking = settings.track ? trackCreations() : undefined;
  join();

  return {
    ready,
    async close() {
      if (closed) return;
      closed = true;
      isReady(undefined);
      clearTimeout(later);
      stopWatching();
      count();
      recorder.stop();
      stopCountingErrors();
      stopTracking?.();
      process.off('exit', leaveNoFile);
      lease?.end();
      const running = worker;
      worker = undefined;
      await running?.terminate();
      leaveNoFile();
    },
  };
}

/** Whether a keeper has read what only one of this container and user can. */
function isOurs(proof: string): boolean {
  try {
    return proof !== '' && proof === readFileSync('/proc/self/auxv').toString('hex');
  } catch {
    return false;
  }
}
