/** The reply of `waits`: everything a process waits for. */
import type { Frame } from './frame.ts';

/** A function of the app, by where it begins. */
export type CodePlace = Frame;

/** What is known of everything that is waited for. */
interface WaitedFor {
  /** Resource type as `process.getActiveResourcesInfo` names it: TCPSocketWrap, Timeout, FSReqCallback, … */
  type: string;
  /** Since it was created, null unless the agent tracks that (`NODEOPS_TRACK=async`). */
  ageMs: number | null;
  /** Where it was created, innermost first; null unless the agent tracks that. */
  created: Frame[] | null;
}

/** An HTTP/1 request under way on a socket. */
export interface HttpInFlight {
  /** `incoming`: the process answers it. `outgoing`: the process waits for the answer. */
  direction: 'incoming' | 'outgoing';
  method: string;
  /** Without the query, which may hold secrets. */
  path: string;
  /** Of an outgoing one. */
  host: string | null;
}

export interface WaitKinds {
  /** `queued`: connections that wait to be accepted, absent for none. */
  server: { address: string | null; connections: number | null; queued?: number };
  socket: {
    local: string | null;
    remote: string | null;
    /** As the kernel names it (ESTABLISHED, CLOSE_WAIT, …), else `connecting`; null for pipes. */
    state: string | null;
    tls: boolean;
    bytesRead: number | null;
    bytesWritten: number | null;
    http: HttpInFlight | null;
    /** Nothing in the main thread waits for it: it is kept alive for later, or another thread's. Absent for the others. */
    unlisted?: boolean;
  };
  udp: { address: string | null };
  terminal: { fd: number | null };
  timer: {
    repeats: boolean;
    periodMs: number;
    /** Until it is due, negative when it is late; null where that cannot be known. */
    remainingMs: number | null;
    callback: CodePlace | null;
  };
  process: { pid: number; command: string };
  worker: { threadId: number; name: string | null };
  /** A MessagePort somebody listens on. Node does not show what is queued in it. */
  port: Record<never, never>;
  fs: { fd: number | null; path: string | null; callback: CodePlace | null };
  dns: { hostname: string | null; callback: CodePlace | null };
  other: { name: string | null; callback: CodePlace | null };
}

export type WaitKind = keyof WaitKinds;
/** One thing a process waits for. */
export type Wait = { [K in WaitKind]: { kind: K } & WaitedFor & WaitKinds[K] }[WaitKind];

export interface WaitsReply {
  /** How many of each resource type keep the event loop alive; more than `waits` has where some could not be looked into. */
  counts: Record<string, number>;
  /** At most 1,000. */
  waits: Wait[];
  /** Whether the process has begun to exit; absent where that is not known. */
  exiting?: boolean;
  /** What the agent keeps of creations; null when it was not told to track them. */
  tracking: { since: string; kept: number; limit: number } | null;
}
