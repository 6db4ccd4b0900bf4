/** The replies of `history`, `artifacts` and `remove-artifact`: what is recorded and kept. */
import type { SeriesName } from './figures.ts';
import type { Frame } from './frame.ts';

/** Figures of one kind over time, one for each of `times`; null where nothing was known. Rounded to seven digits. */
export interface Series {
  /** Mean of what was merged. */
  mean: (number | null)[];
  max: (number | null)[];
}

/** A turn of the event loop that took longer than `stallMs`. */
export interface StallInfo {
  /** ISO 8601 */
  at: string;
  durationMs: number;
  /** Whether it still goes on. */
  ongoing: boolean;
  /** What ran in the middle of it, innermost first; null where no stack was taken. */
  frames: Frame[] | null;
  /** What the kernel showed, where JavaScript could not be interrupted. */
  evidence: string | null;
}

export interface HistoryReply {
  /** ISO 8601, when recording began. */
  since: string;
  /** Milliseconds since 1970, the end of each sample; at even distances of a second or 15 while the process ran. */
  times: number[];
  series: Record<SeriesName, Series>;
  heapLimitBytes: number | null;
  /** Of the container's cgroup, null for none or while the process sleeps. */
  memoryLimitBytes: number | null;
  /** Garbage collections since recording began. */
  gc: { minor: number; major: number; totalPauseMs: number; maxPauseMs: number } | null;
  /** Beats of the last minute: how late a timer came. */
  loopDelay: { p50Ms: number | null; p99Ms: number | null };
  stallMs: number;
  /** Stalls since recording began. */
  stallCount: number;
  /** At most 128 of them, oldest first. */
  stalls: StallInfo[];
}

/** A file that outlives its process. */
export interface KeptArtifact {
  /** `crash/FILE` or `triggers/FILE`. */
  name: string;
  bytes: number;
  /** ISO 8601, when it was written. */
  at: string;
  /** Whose it is, where a sidecar answers for it: bytes and removal then take `CONTAINER/NAME`. Absent from the container's own agent. */
  container?: string;
}

/** A rule that is in force. */
export interface TriggerState {
  /** As it was written, blanks made one. */
  rule: string;
  /** `NODEOPS_TRIGGERS`, or the path of the file. */
  source: string;
  /** ISO 8601, when it last fired in this container, in whatever process; null for never. */
  firedAt: string | null;
}

export interface TriggersState {
  rules: TriggerState[];
  /** Whether they are evaluated as long as the process runs, or only while its agent is awake. */
  lasting: boolean;
  /** What is wrong with rules or keeps them from being evaluated, and what became of the last capture if it failed. */
  errors: string[];
}

export interface ArtifactsReply {
  /** Where they are, as the container names it; null without NODEOPS_ARTIFACTS_DIR. */
  directory: string | null;
  limitBytes: number | null;
  /** Newest first. */
  artifacts: KeptArtifact[];
  /** Of the process that was asked; null where it was given none. Absent in an agent older than this. */
  triggers?: TriggersState | null;
}

export interface RemoveArtifactReply {
  removed: string;
  bytes: number;
}
