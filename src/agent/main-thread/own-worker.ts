/** The worker thread as its main thread sees it. */
import { Worker } from 'node:worker_threads';
import { Departure } from '../recorder/departure.ts';
import { guarded } from './guarded.ts';
import type { FromWorker, Task, ToWorker } from './task.ts';

/** The worker's own heap; without it a leak of ours would end the app. */
const workerHeapMb = 256;

export interface OwnWorker {
  readonly role: Task['role'];
  /** Its port; undefined when it ended before it had one. */
  readonly up: Promise<number | undefined>;
  /** Whether it has the known port, once it was told to try. */
  readonly leads: Promise<boolean>;
  readonly departure: Departure;
  readonly port: number | undefined;
  /** It has said that it is idle, and was asked for nothing since. */
  readonly ending: boolean;
  /** Settles when it has ended after that, or does not. */
  readonly ended: Promise<void> | undefined;
  tell(message: ToWorker): void;
  /** Has it do something that `departure.settle` waits for; false where it does not hear yet. */
  give(message: ToWorker): boolean;
  terminate(): Promise<unknown>;
}

interface Hearing {
  up(port: number): void;
  second(): void;
  idle(): void;
  exit(): void;
}

/** Undefined where no thread is to be had. What `hear` throws is not heard of. */
export function startOwnWorker(source: string, task: Omit<Task, 'departure'>, hear: Hearing): OwnWorker | undefined {
  const departure = new Departure();
  let worker: Worker;
  try {
    worker = new Worker(source, {
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
      workerData: { ...task, departure: departure.buffer } satisfies Task,
    });
  } catch {
    return undefined;
  }
  const up = settleable<number | undefined>();
  const leads = settleable<boolean>();
  let over = settleable<void>();
  const own = {
    ...{ role: task.role, up: up.promise, leads: leads.promise, departure },
    port: undefined as number | undefined,
    ending: false,
    ended: undefined as Promise<void> | undefined,
    tell: (message: ToWorker) => worker.postMessage(message),
    give(message: ToWorker): boolean {
      if (!departure.give()) return false;
      worker.postMessage(message);
      return true;
    },
    terminate: () => worker.terminate(),
  };
  worker.on(
    'message',
    guarded((message: FromWorker) => {
      if (message.t === 'second') return hear.second();
      if (message.t === 'contends') return leads.settle(message.leads);
      if (message.t === 'idle') {
        over = settleable();
        own.ended = over.promise;
        own.ending = true;
        return hear.idle();
      }
      own.port = message.port;
      own.ending = false;
      over.settle();
      up.settle(message.port);
      hear.up(message.port);
    }),
  );
  worker.on('error', () => {});
  worker.on(
    'exit',
    guarded(() => {
      departure.orphan();
      own.ending = false;
      up.settle(undefined);
      leads.settle(false);
      over.settle();
      hear.exit();
    }),
  );
  worker.unref();
  return own;
}

function settleable<T>(): { readonly promise: Promise<T>; settle(value: T): void } {
  let settle: (value: T) => void = () => {};
  const promise = new Promise<T>((resolve) => {
    settle = resolve;
  });
  return { promise, settle: (value) => settle(value) };
}
