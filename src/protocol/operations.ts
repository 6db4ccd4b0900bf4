/**
 * The operations table: everything an agent can be asked. The agent's handlers and the plugin's commands are keyed by
 * `OperationName`, so an entry without both halves does not compile. Modelled on the command table of gops' agent.
 */
import type { ParameterSet, Parsed } from './parameters.ts';
import type { Replies } from './replies.ts';

/** What an operation costs the process it is asked of, as shown in help and docs. */
export type Cost = 'none' | 'pause of milliseconds' | 'sampling' | 'long pause';

export interface Operation<P extends ParameterSet = ParameterSet> {
  /** Reads are GET and change nothing; effects are POST. */
  readonly effect: 'read' | 'effect';
  /** `process`: asked of one process. `pod`: answered by the leader for all it knows. */
  readonly scope: 'process' | 'pod';
  readonly summary: string;
  readonly cost: Cost;
  readonly parameters: P;
  /** Milliseconds until it is answered at the latest, durations among its parameters added. @default limits.readDeadlineMs */
  readonly deadlineMs?: number;
}

const none = {} as const satisfies ParameterSet;

export const operations = {
  version: {
    effect: 'read',
    scope: 'process',
    summary: 'Print the versions of Node.js, V8 and the agent',
    cost: 'none',
    parameters: none,
  },
  processes: {
    effect: 'read',
    scope: 'pod',
    summary: 'List the Node.js processes that the agent knows in the pod',
    cost: 'none',
    parameters: none,
  },
  process: {
    effect: 'read',
    scope: 'process',
    summary: 'Print parent, threads, memory, CPU, user, command and sockets of the process',
    cost: 'none',
    parameters: {
      duration: { type: 'duration', summary: 'also measure CPU over this long', default: 0, min: 0, max: 60_000 },
    },
  },
  stats: {
    effect: 'read',
    scope: 'process',
    summary: 'Print threads, handles, event-loop utilization and delay, usable CPUs, uptime and load',
    cost: 'none',
    parameters: {
      window: {
        type: 'duration',
        summary: 'how long to watch the event loop before answering (default not at all: the last 10s as recorded)',
        min: 0,
        max: 60_000,
      },
    },
  },
  memstats: {
    effect: 'read',
    scope: 'process',
    summary: 'Print RSS, the V8 heap and its spaces, external memory, garbage collections and cgroup limits',
    cost: 'none',
    parameters: {
      // without a standard value: an agent that does not know it is not sent it
      explain: { type: 'boolean', summary: 'also split RSS by what it is for' },
    },
  },
  stack: {
    effect: 'read',
    scope: 'process',
    summary: 'Print the JavaScript stack of the main thread and of each worker thread',
    cost: 'pause of milliseconds',
    parameters: none,
  },
  waits: {
    effect: 'read',
    scope: 'process',
    summary: 'Print what the process waits for: servers, sockets, timers, fs, dns, child processes, workers',
    cost: 'pause of milliseconds',
    parameters: none,
  },
  requests: {
    effect: 'read',
    scope: 'process',
    summary:
      'Print HTTP requests under way, in and out, with their ages; calls and latency by route; outbound connections',
    cost: 'pause of milliseconds',
    parameters: {
      window: { type: 'duration', summary: 'how long to listen for what ends', default: 1_000, min: 0, max: 60_000 },
    },
  },
  exceptions: {
    effect: 'read',
    scope: 'process',
    summary: 'Print what was thrown and not caught, by stack with counts and times; with --caught also what is caught',
    cost: 'pause of milliseconds',
    parameters: {
      caught: {
        type: 'boolean',
        summary: 'also look at what is thrown and caught; pauses the process 100 times at most',
      },
      window: { type: 'duration', summary: 'how long to look with --caught', default: 2_000, min: 100, max: 60_000 },
    },
  },
  history: {
    effect: 'read',
    scope: 'process',
    summary: 'Draw the last minutes and hours of CPU, event loop, heap and memory, and the stalls with what blocked',
    cost: 'none',
    parameters: {
      since: { type: 'duration', summary: 'how far to look back', default: 900_000, min: 1_000, max: 21_600_000 },
      points: {
        type: 'integer',
        summary: 'samples in the reply at most; more are merged',
        default: 900,
        min: 1,
        max: 2_400,
      },
    },
  },
  artifacts: {
    effect: 'read',
    scope: 'process',
    summary: 'List what agents of the container have kept: crash records and what triggers captured',
    cost: 'none',
    parameters: none,
  },
  'remove-artifact': {
    effect: 'effect',
    scope: 'process',
    summary: 'Remove one kept artifact',
    cost: 'none',
    parameters: { name: { type: 'text', summary: 'as `artifacts` names it', default: '', maxLength: 512 } },
  },
  gc: {
    effect: 'effect',
    scope: 'process',
    summary: 'Run a full garbage collection and print what it freed',
    cost: 'long pause',
    parameters: none,
    // V8 collects only when JavaScript lets the event loop turn
    deadlineMs: 30_000,
  },
  setgc: {
    effect: 'effect',
    scope: 'process',
    summary: 'Set how far the heap may grow before the next major garbage collection',
    cost: 'none',
    parameters: {
      percent: { type: 'text', summary: 'growth in percent, 1 to 10000, or off', maxLength: 8 },
    },
  },
} as const satisfies Record<keyof Replies, Operation>;

export type OperationName = keyof Replies;
export type Parameters<N extends OperationName> = Parsed<(typeof operations)[N]['parameters']>;

export function isOperationName(name: string): name is OperationName {
  return Object.hasOwn(operations, name);
}
