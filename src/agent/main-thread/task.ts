/** What the main thread and its worker tell each other. */
import type { LastRecord } from '../crash/witness.ts';
import type { Identity } from '../membership/identity.ts';
import type { RecorderTask } from '../recorder/task.ts';
import type { Settings } from '../settings/agent-settings.ts';

/** What the main thread gives its worker. */
export interface Task {
  /** `watcher`: stays, and looks after its container. `awake`: answers, and ends when nobody has asked for a while. */
  readonly role: 'watcher' | 'awake';
  readonly settings: Settings;
  readonly identity: Identity;
  /** The port that the process's file names, for the main thread to see without a message; further words: config-dir.ts. */
  readonly port: Int32Array;
  /** Where the main thread listens; 0 where it does not. */
  readonly mainPort: number;
  /** See Departure. */
  readonly departure: SharedArrayBuffer;
  /** What is recorded of the process. */
  readonly recorder: RecorderTask;
}

/** That it answers on a port; that its container has another watcher. */
export type FromWorker =
  | { t: 'up'; port: number }
  | { t: 'second' }
  /** It has the known port, or cannot have it. */
  | { t: 'contends'; leads: boolean }
  /** Nobody has asked for a while: it ends when it is told to. */
  | { t: 'idle' };
/** To end at once, or unless somebody asks; to try for the pod's known port. What has an object is waited for: see Departure. */
export type ToWorker =
  | 'end'
  | 'rest'
  | 'lead'
  /** Sessions are to be closed: the process may end. */
  | { readonly t: 'close' }
  | { readonly t: 'keep'; readonly record: LastRecord }
  /** The process ends. `cleans`: its port file goes, too. */
  | { readonly t: 'leave'; readonly last: LastRecord | undefined; readonly cleans: boolean };
