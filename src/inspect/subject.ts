import type { OperationName, Parameters } from '../protocol/operations.ts';
import type { NativeEvidence, Replies } from '../protocol/replies.ts';
import type { Inspector } from './inspector.ts';

/** One process as readings and captures see it, whether from its own worker thread or from outside. */
export interface Subject {
  /** As numbered where this code runs. */
  readonly pid: number;
  /** Where the kernel shows it: `/proc/self` from inside, `/proc/PID` from outside; absent on other systems. */
  readonly procDir: string;
  /** Called once a reading at most; whoever made the Subject closes what it opened. */
  inspector(): Promise<Inspector>;
  /** Last figures read from the main thread, for when it is stuck; kept per process by whoever makes the Subject. */
  readonly lastKnown: Map<string, unknown>;
  /** Thread id of the agent's own worker in that process, left out of threads and stacks; undefined from outside. */
  readonly ownThreadId: number | undefined;
  /** Ports on loopback that agents of the pod listen on: sockets there are not the app's. */
  readonly ownPorts?: readonly number[];
}

/** What a reading gives back; the server wraps it into an Envelope. */
export interface Reading<T> {
  readonly data: T;
  readonly stuck: NativeEvidence | null;
  readonly notes: readonly string[];
}

/** Operations that are answered by looking at one process. The others the server answers itself, and what is recorded the agent. */
export type ReadingName = Exclude<
  OperationName,
  'version' | 'processes' | 'history' | 'artifacts' | 'remove-artifact' | 'gc' | 'setgc'
>;
export type Readings = {
  readonly [N in ReadingName]: (subject: Subject, parameters: Parameters<N>) => Promise<Reading<Replies[N]>>;
};
