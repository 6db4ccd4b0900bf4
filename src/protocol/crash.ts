/** What is kept of a process that crashed, or is about to: `crash/*.json` in the artifact directory. */
import type { HistoryReply } from './history.ts';
import type { MemstatsReply, ThreadStack } from './replies.ts';

export const crashSchema = 'nodeops/crash/v1';

export type CrashKind =
  | 'uncaught-exception'
  | 'unhandled-rejection'
  /** The V8 heap is almost full; what follows is often V8's own end without a word. */
  | 'near-heap-limit'
  /** The container's memory is almost full; what follows is often the kernel's SIGKILL. */
  | 'near-memory-limit'
  /** It exited with a code other than 0. */
  | 'exit'
  /** It ended without a chance to say anything: SIGKILL, V8 out of memory, a fault in native code. */
  | 'killed';

export interface CrashError {
  name: string;
  message: string;
  stack: string;
  code: string | null;
}

export interface CrashRecord {
  schema: typeof crashSchema;
  kind: CrashKind;
  /** ISO 8601; of `killed` the last sign of life. */
  at: string;
  /** One sentence. */
  summary: string;
  process: {
    /** Name of the machine as the process sees it: the pod's, in Kubernetes. */
    host: string;
    container: string | null;
    pid: number;
    name: string;
    /** argv, secrets masked. */
    command: string;
    nodeVersion: string;
    agentVersion: string;
    startedAt: string;
  };
  /** What was thrown, secrets masked; `causes` are what its `cause` and `errors` name, and theirs, the first eight. */
  error: (CrashError & { causes?: CrashError[] }) | null;
  /** Whether the app has a handler for it, and so may have gone on. */
  handled: boolean;
  exitCode: number | null;
  memory: Pick<MemstatsReply, 'heap' | 'spaces'> | null;
  /** What kept the event loop alive, by resource type. */
  resources: Record<string, number> | null;
  stacks: ThreadStack[] | null;
  /** The last 15 minutes; null without the recorder. */
  history: HistoryReply | null;
  /** Name of the kept sampling heap profile, of what was allocated since memory became short. */
  heapProfile: string | null;
  /** Name of the kept diagnostic report of Node.js, of running short of memory. */
  report?: string | null;
}

export function isCrashRecord(value: unknown): value is CrashRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { schema, kind, at, summary, process } = value as CrashRecord;
  const isWhole = typeof kind === 'string' && typeof at === 'string' && typeof summary === 'string';
  return schema === crashSchema && isWhole && typeof process === 'object' && process !== null;
}
