/**
 * What each operation replies with. Figures are exact, units are in the names, `null` means "cannot be known here" (another
 * platform, no cgroup, the main thread stuck in native code) and never zero.
 */
import type { ExceptionsReply } from './exceptions.ts';
import type { Frame } from './frame.ts';
import type { ArtifactsReply, HistoryReply, RemoveArtifactReply } from './history.ts';
import type { RequestsReply } from './requests.ts';
import type { WaitsReply } from './waits.ts';

export type { Frame } from './frame.ts';

/** A process above another one, Node or not. */
export interface Ancestor {
  pid: number;
  ppid: number;
  /** As the kernel knows it, at most 15 characters. */
  name: string;
}

/** One Node process as the leader of its pod sees it. Its name is `container/pid`. */
export interface ProcessInfo {
  /** The container's name if the agent was told (`NODEOPS_CONTAINER`), else null. */
  container: string | null;
  /** As numbered inside its own pid namespace. */
  pid: number;
  ppid: number;
  /** File name of the entry script, or `node`. */
  name: string;
  /** argv joined by spaces, at most 4,096 characters. */
  command: string;
  /** such as `v24.21.0` */
  nodeVersion: string;
  agentVersion: string;
  /** ISO 8601 */
  startedAt: string;
  /** Numeric user id, null on Windows. */
  uid: number | null;
  /** Whether this process holds the pod's known port. */
  leader: boolean;
  /** The port on loopback that answers for this process alone. */
  port: number;
  /** What it was started under, nearest first, at most 16; absent where that cannot be seen. */
  parents?: Ancestor[];
}

export interface VersionReply {
  agentVersion: string;
  protocol: number;
  nodeVersion: string;
  v8Version: string;
  platform: string;
  arch: string;
  execPath: string;
  /** Operations and captures it can be asked for; an agent from before this was told leaves it out. */
  offers?: string[];
}

export interface ProcessesReply {
  processes: ProcessInfo[];
}

export interface SocketInfo {
  protocol: 'tcp' | 'tcp6' | 'udp' | 'udp6';
  /** `ADDRESS:PORT`, v6 addresses in brackets. */
  local: string;
  /** null for a listening socket */
  remote: string | null;
  /** as the kernel names it: LISTEN, ESTABLISHED, … */
  state: string;
  /** Bytes that were not read yet; of a listening socket, connections that wait to be accepted. */
  queued?: number;
}

export interface ProcessReply {
  pid: number;
  ppid: number;
  threads: number | null;
  rssBytes: number | null;
  /** RSS as a share of the machine's memory, 0 to 100. */
  memoryPercent: number | null;
  /** CPU since the process started, 100 is one core. */
  cpuPercent: number | null;
  /** CPU over `durationMs`, null when no duration was asked. */
  cpuPercentOver: number | null;
  durationMs: number;
  user: string | null;
  command: string;
  elapsedSeconds: number;
  sockets: SocketInfo[] | null;
  /** Oldest first, at most 200; absent from agents older than it. */
  children?: ChildProcess[] | null;
  /** Null where the kernel does not show it; absent from agents older than it. */
  environment?: ProcessEnvironment | null;
}

/** What a process was started with that costs it speed. */
export interface ProcessEnvironment {
  /** `NODE_ENV`, as it was at the start; null where it was not set. */
  nodeEnv: string | null;
  /** Profilers and tracers that run in it: flags, `NODE_V8_COVERAGE`, or a CPU profile that somebody takes at this moment. */
  profilers: string[];
}

/** For how much of the last ten seconds something waited for a resource, 0 to 100 (PSI, `some`); null where the kernel does not count it. */
export interface Pressure {
  of: 'container' | 'machine';
  cpu: number | null;
  memory: number | null;
  io: number | null;
}

/** A child process of any kind: `spawn`, `execSync`, an addon's fork. */
export interface ChildProcess {
  pid: number;
  /** argv joined by spaces, at most 400 characters. */
  command: string;
  ageSeconds: number;
  /** Kernel's state letter: R running, S sleeping, Z ended and not waited for. */
  state: string;
}

export interface Occurrences {
  count: number;
  /** ISO 8601, the process's clock; null for never. */
  lastAt: string | null;
}

/** What went wrong on the main thread since `since`: when the agent began to count, or was attached from outside. */
export interface ErrorCounts {
  /** ISO 8601 */
  since: string;
  /** Whether or not the app handles them and lives on. */
  uncaughtExceptions: Occurrences;
  /** Those that Node makes an exception or a warning of: none where the app listens to `unhandledRejection`. */
  unhandledRejections: Occurrences;
  /** Those of `process.emitWarning`, such as MaxListenersExceededWarning; null once the app removed all listeners of `warning`. */
  warnings: Occurrences | null;
}

/** CPU of threads that serve one purpose. */
export interface ThreadUse {
  /** `pool`: libuv's. `v8`: V8's and Node's helpers. `agent`: ours. `other`: an addon's, by the name it gave them. */
  kind: 'main' | 'worker' | 'pool' | 'v8' | 'agent' | 'other';
  /** `main`, `worker 3 'NAME'`, `libuv pool`, `V8 helpers`, `nodeops agent`, or as the kernel names them. */
  name: string;
  threads: number;
  /** CPU since they began; what threads used that have ended is not among it. */
  cpuSeconds: number;
  /** CPU over `eventLoop.windowMs`, 100 is one core; null where no window was watched. */
  percent: number | null;
  /** Time in which they could have run and waited for a CPU over that window, 100 is one thread all the time; null where the kernel does not count it. */
  waitingPercent: number | null;
}

/** The pool of threads in which fs, dns.lookup, crypto, zlib and addons do their work. */
export interface PoolUse {
  /** Those there are: 0 before the first work. */
  threads: number;
  /** How many there are, or will be (`UV_THREADPOOL_SIZE`). */
  size: number;
  /** Those at work at this moment; null where the kernel does not show it. */
  busy: number | null;
  /** What they do: `computing` (crypto, zlib, an addon), `looking up a name`, or a system call and its file. */
  work: { what: string; count: number }[];
  /** Work that waits for a thread, as far as Node lists it (fs and lookups, not crypto and zlib): at least so much; null where that is not known. */
  queued: number | null;
  /** How long new work waits: 0 while a thread is idle; null where that cannot be tried (from outside). */
  delayMs: number | null;
  /** Whether it waits even longer: it was not served within the 100 ms it was tried. */
  delayIsLeast: boolean;
}

export interface StatsReply {
  uptimeSeconds: number;
  threads: {
    /** Threads the kernel shows for the process. */
    os: number | null;
    /** Worker threads of the app; the agent's own is not counted. */
    workers: number | null;
    /** Size of libuv's pool: its threads, or before there are any `UV_THREADPOOL_SIZE`. */
    uvPool: number;
  };
  /** CPU by thread; absent from agents older than it, null without /proc. */
  threadUse?: ThreadUse[] | null;
  pool?: PoolUse | null;
  /** Open file descriptors and the limit at which no more can be had; null for what cannot be known. */
  descriptors?: { open: number | null; limit: number | null; exhausted?: boolean } | null;
  /** What keeps the event loop alive, by resource type as `process.getActiveResourcesInfo` names it; the agent's own are left out. */
  handles: { total: number; byType: Record<string, number> } | null;
  requests: { total: number; byType: Record<string, number> } | null;
  eventLoop: {
    /** Share of time spent running callbacks over `windowMs`, 0 to 1; 1 when the loop did not turn. */
    utilization: number | null;
    /** Time a timer came late over `windowMs`. */
    delayP50Ms: number | null;
    delayP99Ms: number | null;
    delayMaxMs: number | null;
    windowMs: number;
  };
  cpu: {
    /** CPUs this process can use: affinity and cgroup quota counted, may be a fraction. */
    usable: number;
    /** CPUs of the machine. */
    online: number;
    /** cgroup quota in CPUs, null for none. */
    quota: number | null;
    userSeconds: number;
    systemSeconds: number;
    /** How long the cgroup's quota has held it back since the cgroup was made, null without a quota. */
    throttledSeconds: number | null;
    /** CPU of this process over `eventLoop.windowMs`, 100 is one core. */
    percent: number | null;
  };
  pressure?: Pressure | null;
  /** Null where nobody counts; absent from agents that do not know of it. */
  errors?: ErrorCounts | null;
}

export interface GcKind {
  count: number;
  totalPauseMs: number;
  maxPauseMs: number;
}

/** Heap of a worker thread, which is not in the figures of the main one. */
export interface WorkerHeap {
  threadId: number;
  name: string | null;
  usedBytes: number;
  totalBytes: number;
  externalBytes: number;
}

/** Resident memory by what it is for; the parts are all of it, by the kernel's map of the process. */
export interface ResidentMemory {
  totalBytes: number;
  /** V8's pages of data: every isolate's heap, ours among them. */
  v8HeapBytes: number;
  /** Compiled code. */
  v8CodeBytes: number;
  /** Of what malloc holds, array buffers and Buffers as V8 counts them, in every thread: at most so much; null where the main thread does not answer. */
  arrayBuffersBytes: number | null;
  /** The rest of malloc's: addons, OpenSSL, zlib, V8's own bookkeeping, and what is free but not given back; with the array buffers where those are not known. */
  nativeBytes: number;
  stacksBytes: number;
  /** Mapped files: the executable, libraries, and what an app maps. */
  filesBytes: number;
  sharedBytes: number;
  otherBytes: number;
  /** Of `v8HeapBytes`, the agent's own heap; null from outside. */
  agentBytes: number | null;
  allocator: {
    /** By the library that is mapped; null where none is (linked into an executable). */
    name: 'glibc' | 'musl' | 'jemalloc' | 'tcmalloc' | 'mimalloc' | null;
    /** Resident bytes of the main heap, of further arenas, and of large pieces mapped one by one. */
    mainHeapBytes: number;
    arenasBytes: number;
    largeBytes: number;
    /** Pieces of 64 MB that glibc's arenas beside the main one have; one arena may have several. */
    arenas: number;
    /** `MALLOC_ARENA_MAX`, as the process was started; null for none. */
    arenaMax: string | null;
  };
}

export interface MemstatsReply {
  rssBytes: number | null;
  /** The most it ever was, by the kernel. */
  peakRssBytes?: number | null;
  /** What RSS is made of; only where `explain` asked for it and the kernel shows it. */
  resident?: ResidentMemory | null;
  workers?: WorkerHeap[] | null;
  heap: {
    totalBytes: number;
    usedBytes: number;
    /** Of the old generation: V8 ends the process when what lives would pass it, what is still in the young one included. */
    limitBytes: number;
    /** What V8 reserves for both generations (`heap_size_limit`). */
    reservedBytes?: number;
    /** Of `usedBytes`, in the old generation. */
    oldUsedBytes?: number | null;
    /** Used after the last full collection that `gc` ran, and when; null for none. */
    live?: { bytes: number; at: string } | null;
    physicalBytes: number;
    externalBytes: number;
    arrayBuffersBytes: number;
    mallocedBytes: number;
    peakMallocedBytes: number;
    nativeContexts: number;
    detachedContexts: number;
  } | null;
  spaces:
    | { name: string; sizeBytes: number; usedBytes: number; availableBytes: number; physicalBytes: number }[]
    | null;
  /** Since `since` (when the agent began to count); null without an agent in the process. */
  gc: {
    since: string;
    scavenge: GcKind;
    minorMarkSweep: GcKind;
    markSweepCompact: GcKind;
    incremental: GcKind;
    weakCallbacks: GcKind;
    last: { kind: string; at: string; pauseMs: number } | null;
  } | null;
  cgroup: {
    version: 1 | 2;
    limitBytes: number | null;
    usedBytes: number;
    /** Without file pages that the kernel would drop first: what a kubelet evicts by. */
    workingSetBytes?: number | null;
    /** Processes of it that the kernel has killed for memory. */
    oomKills?: number | null;
  } | null;
}

export interface ThreadStack {
  /** `main` or `worker ID`. */
  thread: string;
  name: string | null;
  /**
   * `running`: JavaScript was interrupted. `waiting`: JavaScript waits in a call to the kernel, such as Atomics.wait. `native`: it is in code of Node or V8
   * that JavaScript called. `between`: the loop works, and no JavaScript was found at first. `idle`: the loop waits.
   */
  state: 'running' | 'waiting' | 'native' | 'between' | 'idle';
  /** Of a `native` main thread read from its memory; none where that may not be read. Of one `between` callbacks: what ran next. */
  frames: Frame[];
  /** Of `waiting`: the call, such as `futex`. */
  waitsIn?: string;
  /** Share of a few looks within 20 ms that found the thread at work; absent where it cannot be told. */
  busyShare?: number;
}

/** What an idle loop waits for. */
export interface Pending {
  type: string;
  count: number;
  /** such as `0.0.0.0:8080` or `every 1000 ms`; at most 20 a type */
  details: string[];
}

export interface StackReply {
  threads: ThreadStack[];
  /** What the main thread waits for; null while it runs JavaScript. */
  pending: Pending[] | null;
}

/** What could be seen of a main thread that JavaScript cannot interrupt; from `/proc/self/task/*`. */
export interface NativeEvidence {
  /** Kernel's state letter of the main thread: R running, S sleeping, D disk. */
  state: string | null;
  /** Kernel function it sleeps in, if shown. */
  wchan: string | null;
  /** Name of the system call it is in, if shown. */
  syscall: string | null;
  /** How long it has not answered, at least. */
  forMs: number;
  /** One sentence that puts the above in words. */
  summary: string;
}

export interface GcReply {
  /** Held outside the heap (array buffers, Buffers, external strings) before and after; absent from agents older than it. */
  externalBeforeBytes?: number;
  externalAfterBytes?: number;
  rssBeforeBytes?: number | null;
  rssAfterBytes?: number | null;
  /** `usedBefore - usedAfter`, zero when the app allocated more meanwhile. */
  freedBytes: number;
  usedBeforeBytes: number;
  usedAfterBytes: number;
  /** Size of the heap as reserved from the system. */
  totalBeforeBytes: number;
  totalAfterBytes: number;
  /** How long JavaScript stood still, at most: it includes the way to the main thread and back. */
  pauseMs: number;
}

export interface SetgcReply {
  /** Percent; null: V8 decides for itself, from how fast it allocates and collects. */
  previous: number | null;
  current: number | null;
  /** What V8 made of it, in one sentence. */
  note: string;
}

export interface Replies {
  version: VersionReply;
  processes: ProcessesReply;
  process: ProcessReply;
  stats: StatsReply;
  memstats: MemstatsReply;
  stack: StackReply;
  waits: WaitsReply;
  requests: RequestsReply;
  exceptions: ExceptionsReply;
  history: HistoryReply;
  artifacts: ArtifactsReply;
  'remove-artifact': RemoveArtifactReply;
  gc: GcReply;
  setgc: SetgcReply;
}

/** Around every reply. */
export interface Envelope<T> {
  schema: 'nodeops/v1';
  operation: string;
  /** ISO 8601, the agent's clock */
  at: string;
  process: { container: string | null; pid: number };
  data: T;
  /** Set when the main thread is stuck in native code; `data` then holds last known figures and nulls. */
  stuck: NativeEvidence | null;
  /** Sentences for the user about what is missing in `data` and why. */
  notes: string[];
}

export interface ErrorEnvelope {
  schema: 'nodeops/v1';
  error: { code: string; message: string; hint?: string; detail?: Record<string, unknown> };
}
