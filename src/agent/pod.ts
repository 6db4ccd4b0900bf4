/** What the server needs to know of the agent it serves. */
import type { Socket } from 'node:net';
import type { ProcessInfo } from '../protocol/replies.ts';
import type { Resident } from './resident.ts';
import type { Settings } from './settings/agent-settings.ts';
import type { Stores } from './store/stores.ts';

/** Where a connection came in: the port of the whole pod, or the port of one process. */
export type Front = 'pod' | Resident;

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
