/** What the server needs to know of the agent it serves. */
import type { Socket } from 'node:net';
import type { Inspector } from '../inspect/inspector.ts';
import type { ProcessInfo, VersionReply } from '../protocol/replies.ts';
import type { Settings } from './settings/agent-settings.ts';
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

/** Where a connection came in: the port of the whole pod, or the port of one process. */
export type Front = 'door' | Resident;

export interface Pod {
  readonly settings: Settings;
  readonly self: Resident;
  /** Every process that can be answered for here, as of the last look. */
  residents(): readonly Resident[];
  /** Looks who is there. */
  refresh(): Promise<void>;
  /** Every process known here, those of other containers included, as of the last look. */
  list(): ProcessInfo[];
  /** A connection to another agent that has proved itself. Throws HandshakeError. */
  reach(port: number): Promise<Socket>;
  /** The port of the watcher in the container of a process. */
  watcherOf(info: ProcessInfo): number | undefined;
  /** Sentences about this agent for `version`. */
  notes(): string[];
  /** What all containers keep, or the one of that name (undefined where there is none): absent where only the own store is seen. */
  stores?(container: string | undefined): Stores | undefined;
  /** The port to ask for what all containers keep, when another agent here sees that. */
  storesElsewhere?(): number | undefined;
  /** An agent that was woken does not fall asleep again while one of these says so. */
  holding?(held: () => boolean): void;
}
