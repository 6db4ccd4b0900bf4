/**
 * Captures: operations that yield an artifact. They are jobs, so that losing the connection loses nothing:
 *
 *   POST   /v1/CAPTURE?process=SELECTOR&…        starts one, 201 with its JobInfo in an Envelope; `busy` while another heavy one runs there
 *   GET    /v1/jobs/ID?process=SELECTOR          its JobInfo in an Envelope
 *   GET    /v1/jobs/ID/progress?process=…        NDJSON: a bare JobInfo whenever something changed and at least once a second
 *   POST   /v1/jobs/ID/stop?process=…            ends it early, keeping what there is where the format allows
 *   GET    /v1/jobs/ID/artifact?process=…        the bytes; `Range: bytes=N-` counts uncompressed bytes, `Accept-Encoding` zstd or gzip
 *   DELETE /v1/jobs/ID?process=…                 abandons it: what runs is stopped, what was kept is removed
 *
 * A job that nobody asked about for `limits.jobAbandonedMs` is stopped; a finished one is kept for `limits.jobKeptMs`.
 */
import type { Cost } from './operations.ts';
import type { ParameterSet, Parsed } from './parameters.ts';

export interface Capture<P extends ParameterSet = ParameterSet> {
  readonly summary: string;
  readonly cost: Cost;
  /** Whether stopping early leaves a usable artifact. */
  readonly stoppable: boolean;
  /** File extension of the artifact as the agent makes it, without a dot; the plugin may convert it. */
  readonly extension: string;
  readonly mediaType: string;
  readonly parameters: P;
}

const hour = 3_600_000;

export const captures = {
  trace: {
    summary: 'Record trace events, for Perfetto and chrome://tracing',
    cost: 'sampling',
    stoppable: true,
    extension: 'trace.json',
    mediaType: 'application/json',
    parameters: {
      duration: { type: 'duration', summary: 'how long to record', default: 5_000, min: 100, max: hour },
      categories: {
        type: 'text',
        summary: 'trace-event categories, separated by commas',
        default: 'v8,node,node.async_hooks,node.perf,node.environment,v8.cpu_profiler',
        maxLength: 1024,
      },
    },
  },
  'pprof-cpu': {
    summary: 'Record a CPU profile',
    cost: 'sampling',
    stoppable: true,
    extension: 'cpuprofile',
    mediaType: 'application/json',
    parameters: {
      duration: { type: 'duration', summary: 'how long to sample', default: 30_000, min: 100, max: hour },
      interval: {
        type: 'integer',
        summary: 'time between samples, in microseconds',
        default: 1_000,
        min: 50,
        max: 1_000_000,
      },
      thread: { type: 'text', summary: 'main, all, or a worker thread id', default: 'main', maxLength: 16 },
      source: { type: 'boolean', summary: 'keep the source of the hottest lines in the V8 profile', default: false },
      'no-deopt': {
        type: 'boolean',
        summary: 'leave optimized code as it is: functions inlined in it are counted as their callers',
      },
    },
  },
  'pprof-heap': {
    summary: 'Sample which functions allocated what is live on the heap',
    cost: 'sampling',
    stoppable: true,
    extension: 'heapprofile',
    mediaType: 'application/json',
    parameters: {
      duration: { type: 'duration', summary: 'how long to sample allocations', default: 30_000, min: 100, max: hour },
      interval: {
        type: 'integer',
        summary: 'average bytes between samples (default: by how much the process allocates)',
        min: 1_024,
        max: 1024 * 1024 * 1024,
      },
      alloc: { type: 'boolean', summary: 'count what was allocated, also what is garbage by now', default: false },
      external: {
        type: 'boolean',
        summary:
          'also share out what ArrayBuffers grew by among those who made them; collects garbage before and after',
        default: false,
      },
    },
  },
  leaks: {
    summary: 'Say which functions leak: what survives forced collections, by age; no snapshot',
    cost: 'long pause',
    stoppable: true,
    extension: 'leaks.json',
    mediaType: 'application/json',
    parameters: {
      duration: { type: 'duration', summary: 'how long to watch', default: 60_000, min: 3_000, max: hour },
      interval: {
        type: 'integer',
        summary: 'average bytes between samples (default: by how much the process allocates)',
        min: 1_024,
        max: 1024 * 1024 * 1024,
      },
    },
  },
  heapsnapshot: {
    summary: 'Write a full snapshot of the heap; the process stands still meanwhile',
    cost: 'long pause',
    stoppable: false,
    extension: 'heapsnapshot',
    mediaType: 'application/json',
    parameters: {
      force: { type: 'boolean', summary: 'take it although it may stop or kill the process', default: false },
      redact: {
        type: 'boolean',
        summary: 'mask the contents of strings, and keys that are no plain words',
        default: false,
      },
      'probe-budget': {
        type: 'duration',
        summary: 'how long the liveness probe lets the process stand still',
        min: 0,
        max: hour,
      },
    },
  },
  report: {
    summary: "Write Node's diagnostic report, secrets in the environment masked",
    cost: 'pause of milliseconds',
    stoppable: false,
    extension: 'report.json',
    mediaType: 'application/json',
    parameters: {},
  },
} as const satisfies Record<string, Capture>;

export type CaptureName = keyof typeof captures;
export type CaptureParameters<N extends CaptureName> = Parsed<(typeof captures)[N]['parameters']>;

export function isCaptureName(name: string): name is CaptureName {
  return Object.hasOwn(captures, name);
}

/**
 * What the kernel said of the thread beside a CPU profile, reading by reading. Microseconds; `micros` is of V8's clock, as the
 * profile's own `startTime`.
 */
export interface ThreadClockReadings {
  readonly micros: readonly number[];
  /** CPU the thread has had so far. */
  readonly cpuMicros: readonly number[];
  /** Time it has waited for a CPU so far. */
  readonly queuedMicros: readonly number[];
  /** What it did at each reading: an index into `names`. */
  readonly doing?: readonly number[];
  /** `running`, or the system call it waited in. */
  readonly names?: readonly string[];
}

/** `nodeops` in a CPU profile of an agent: what V8 does not tell. */
export interface BesideProfile {
  /** How long the thread stood still while the profiler started, before `startTime`. */
  readonly pausedMicros: number;
  /** Absent where the kernel does not tell. */
  readonly clock?: ThreadClockReadings | undefined;
}

/** `nodeops` in a heap profile of an agent. */
export interface BesideHeapProfile {
  readonly samplingIntervalBytes: number;
  /** What ArrayBuffers grew by meanwhile, garbage not counted; only where that was asked for. */
  readonly arrayBufferBytes?: number | undefined;
}

/** Artifact of `pprof-cpu` with `thread=all`; with one thread it is that thread's V8 profile itself. */
export interface ThreadProfiles {
  /** `thread` is `main` or `worker ID`, as in `stack`; `profile` is what V8's `Profiler.stop` gave. */
  threads: { thread: string; profile: object }[];
}

export type JobState = 'running' | 'finished' | 'failed' | 'abandoned';

/** The state of a capture, as every job request answers it. */
export interface JobInfo {
  /** 22 characters of base64url, unguessable. */
  id: string;
  capture: CaptureName;
  parameters: Record<string, unknown>;
  state: JobState;
  /** ISO 8601 */
  startedAt: string;
  elapsedMs: number;
  /** Until it ends by itself; null where that cannot be said. */
  remainingMs: number | null;
  /** What it does now, such as `sampling`, `writing the snapshot`. */
  phase: string;
  /** 0 to 1 where it can be said. */
  progress: number | null;
  /** Whether it was ended before its time. */
  stoppedEarly: boolean;
  /** Uncompressed bytes there are so far; all of them once finished. */
  bytes: number;
  /** Of the uncompressed artifact, hex; null until finished. */
  sha256: string | null;
  /** Whether a range that was already sent can be asked for again (kept on disk), or bytes flow once. */
  resumable: boolean;
  /** Where the agent keeps it, as the container names it; null when it is not on disk. */
  path: string | null;
  error: { code: string; message: string; hint?: string; detail?: Record<string, unknown> } | null;
  notes: string[];
}
