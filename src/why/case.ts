/** A case: everything that was seen of one process over a look of some seconds. A plain value, so that it can be kept and judged again. */
import type { ExceptionsReply } from '../protocol/exceptions.ts';
import type { HistoryReply } from '../protocol/history.ts';
import type {
  ChildProcess,
  Frame,
  MemstatsReply,
  NativeEvidence,
  ProcessEnvironment,
  ResidentMemory,
  SocketInfo,
  StatsReply,
  ThreadStack,
} from '../protocol/replies.ts';
import type { RequestsReply } from '../protocol/requests.ts';
import type { WaitsReply } from '../protocol/waits.ts';

/** Two replies of one moment. */
export interface Moment {
  /** Milliseconds since the look began. */
  readonly atMs: number;
  /** Milliseconds by which the clock of the process is ahead of the one that looked; absent from older cases. */
  readonly clockAheadMs?: number;
  readonly stats: StatsReply;
  readonly memory: MemstatsReply;
  readonly stuck: NativeEvidence | null;
}

export interface StackSample {
  readonly atMs: number;
  /** From the question to the answer: how long the thread did not let itself be interrupted. */
  readonly tookMs: number;
  readonly threads: readonly ThreadStack[];
  readonly stuck: NativeEvidence | null;
}

export interface At<T> {
  readonly atMs: number;
  readonly reply: T;
}

/** A stack with the time that was seen in it, innermost frame first. */
export interface WeighedStack {
  readonly ms: number;
  readonly frames: readonly Frame[];
}

/** What a CPU profile of the main thread says, in short. */
export interface CpuSummary {
  readonly durationMs: number;
  readonly idleMs: number;
  readonly gcMs: number;
  /** Without JavaScript: the engine, Node's own C++, what V8 cannot name. */
  readonly programMs: number;
  /** Largest first. */
  readonly stacks: readonly WeighedStack[];
  /** Stretches of at least 100 ms without a pause, longest first, and the stack that most of each was spent in. */
  readonly stretches: readonly { readonly startMs: number; readonly ms: number; readonly frames: readonly Frame[] }[];
}

/** What was allocated during the look and is still there at its end, by the stack that allocated it. */
export interface AllocationSummary {
  readonly durationMs: number;
  readonly sites: readonly AllocationSite[];
}

export interface AllocationSite {
  readonly frames: readonly Frame[];
  readonly bytes: number;
  readonly count: number;
  /** Bytes by age: the look cut into quarters, oldest first. What is only a cache, or not yet collected, has no old ones. */
  readonly byAge: readonly number[];
}

/** What Kubernetes knows of the container. */
export interface PodFacts {
  readonly restarts: number | null;
  readonly memoryLimitBytes: number | null;
  readonly lastTermination: { readonly reason: string | null; readonly exitCode: number | null } | null;
}

export interface Subject {
  readonly pid: number;
  readonly container: string | null;
  readonly command: string;
  /** `v24.21.0` */
  readonly nodeVersion: string;
  readonly agentVersion: string;
  /** Ports that the agents themselves listen on: their sockets are not the app's. */
  readonly ownPorts: readonly number[];
}

export interface Case {
  /** ISO 8601, when the look began. */
  readonly at: string;
  readonly lookMs: number;
  /** Whether it was gone before the look was over. */
  readonly ended: boolean;
  readonly subject: Subject;
  readonly moments: readonly Moment[];
  readonly stacks: readonly StackSample[];
  /** The first and the last of the look. */
  readonly waits: readonly At<WaitsReply>[];
  readonly requests: readonly At<RequestsReply>[];
  readonly sockets: readonly At<readonly SocketInfo[]>[];
  /** Of any kind, oldest first; empty where the agent does not tell them. */
  readonly children: readonly At<readonly ChildProcess[]>[];
  /** What RSS is made of, at the begin and at the end; absent from older cases. */
  readonly resident?: readonly At<ResidentMemory>[];
  /** What it was started with; null where nobody tells. */
  readonly environment?: ProcessEnvironment | null;
  readonly exceptions?: ExceptionsReply | null;
  /** The recorder's past, where there is a recorder. */
  readonly past: HistoryReply | null;
  readonly cpu: CpuSummary | null;
  readonly allocations: AllocationSummary | null;
  readonly pod: PodFacts | null;
  /** Bytes of the heap in use right after a forced collection, where those were asked for. */
  readonly collected: readonly At<number>[];
  /** What could not be read, and why. */
  readonly missing: readonly { readonly reading: Reading; readonly reason: string }[];
}

/** What a finding may need to be looked for. */
export type Reading =
  | 'stats'
  | 'memstats'
  | 'stack'
  | 'waits'
  | 'requests'
  | 'process'
  | 'history'
  | 'exceptions'
  | 'pprof-cpu'
  | 'pprof-heap'
  | 'gc';
