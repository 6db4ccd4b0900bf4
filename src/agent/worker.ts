/** What runs in the worker thread. While nobody asks, it holds a listening socket and nothing else is loaded. */
import { parentPort, workerData } from 'node:worker_threads';
import { startKeeper } from './awake/keeper.ts';
import { startWoken } from './awake/woken.ts';
import type { Identity } from './identity.ts';
import type { Sibling } from './lease/messages.ts';
import { attend } from './recorder/attend.ts';
import type { RecorderTask } from './recorder/start.ts';
import type { Settings } from './settings.ts';

/** What the main thread gives its worker. */
export interface Task {
  readonly role: { mode: 'keeper'; inherited: readonly Sibling[] } | { mode: 'woken'; key: string; keeperPort: number };
  readonly settings: Settings;
  readonly identity: Identity;
  /** The agent's own port, for the main thread to see without a message; further words: config-dir.ts. */
  readonly port: Int32Array;
  /** What is recorded of the process; absent where this is no app's process. */
  readonly recorder?: RecorderTask;
}

/** What the worker tells its main thread: that it answers, or that this process had better sleep. */
export type FromWorker = { t: 'ready'; port: number } | { t: 'sleep' };

const task = workerData as Task;
const tell = (message: FromWorker) => parentPort?.postMessage(message);

// an error of ours is no reason to leave a blocked app without an agent; many are
let errors = 0;
process.on('uncaughtException', () => {
  if (++errors > 100) process.exit(1);
});
process.on('unhandledRejection', () => {});
parentPort?.on('message', (message) => {
  if (message === 'end') process.exit(0);
});

const residents = task.role.mode === 'keeper' ? startKeeper(task, task.role.inherited, tell) : undefined;
if (task.role.mode === 'woken') startWoken(task, task.role);
if (task.recorder) attend(task.recorder, task.identity, residents);
