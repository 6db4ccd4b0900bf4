/** A process that an agent answers for: its own, or another that it can look at from outside. */
import type { Inspector } from '../inspect/inspector.ts';
import type { ProcessInfo, VersionReply } from '../protocol/replies.ts';
import type { Stores } from './store/stores.ts';

/** A process that this agent answers for. */
export interface Resident {
  readonly info: ProcessInfo;
  readonly version: VersionReply;
  /** Set where the process is another than the agent's own. */
  readonly asleep: Sleep | undefined;
  /** Set where this stands for what containers have kept, whether or not a process of them runs. */
  readonly stores?: Stores | undefined;
}

/** Another process of the same container, as far as it can be looked at from outside. */
export interface Sleep {
  /** What its V8 heap may grow to; null where it is not known. */
  readonly heapLimitBytes: number | null;
  /** Starts its worker: the port that answers for it, or undefined when the main thread does not react. */
  wake(): Promise<number | undefined>;
  /** Whether SIGUSR1 would reach the app, or be ignored, instead of opening the inspector. */
  ownsSigusr1(): boolean;
  /** Whether the process of that number is still the one that was found; made sure of before a signal is sent. */
  isItself(): boolean;
  /** Opens a line to its inspector, where it is kept by somebody who knows more; default: SIGUSR1, once the above allow it. */
  open?(): Promise<Inspector>;
}
