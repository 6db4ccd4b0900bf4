/** Every check: what it looks at, what is made of the samples, and what its limit may be. Flags and file are made from this table. */
import { satisfies } from 'semver';
import type { Sample } from '../top/sample.ts';
import type { LimitKind, Unit } from './limit.ts';
import type { ProcessRun, Seen } from './run.ts';
import { growth, mean, median, quantile } from './statistics.ts';

/** Why a figure is missing. `inapplicable`: nothing of the kind is there, such as a limit of a process without one. */
export interface Missing {
  readonly missing: string;
  readonly inapplicable?: boolean;
}
/** `high` differs from `low` where the figure is known within bounds only. */
export interface Figure {
  readonly low: number;
  readonly high: number;
}
/** A version instead of a figure. */
export interface Version {
  readonly version: string;
}
export type Measured = Missing | Figure | Version;

export interface Check {
  /** For help, without the limit. */
  readonly summary: string;
  readonly kind: LimitKind;
  /** How the limit is typed where nobody typed one; without it the check is made only when asked for. */
  readonly standard?: string;
  /** Of the figure that is compared, where the limit is no part. */
  readonly unit: Unit;
  /** What is made of the samples. */
  readonly statistic: string;
  /** The profile that shows why it failed. */
  readonly evidence?: 'pprof-cpu' | 'pprof-heap';
  measure(run: ProcessRun, part: boolean): Measured;
}

/** Samples that a statistic needs. */
export const enough = { sampled: 5, collected: 4 } as const;

type Read = (sample: Seen) => number | null;
const of =
  (key: Exclude<keyof Sample, 'stuck'>): Read =>
  (sample) =>
    sample[key];
const most = (values: readonly number[]) => quantile(values, 1);
const usually = median;
const mostly = (values: readonly number[]) => quantile(values, 0.95);

export const checks = {
  'max-loop-delay-p99': {
    summary: 'event-loop delay, 99th percentile of each sample',
    kind: 'duration',
    standard: '100ms',
    unit: 'milliseconds',
    statistic: '95th percentile of the samples',
    evidence: 'pprof-cpu',
    measure: (run) => sampled(run, of('delayP99Ms'), mostly),
  },
  'max-utilization': {
    summary: 'share of time the event loop is busy',
    kind: 'share',
    standard: '0.9',
    unit: 'share',
    statistic: 'median of the samples',
    evidence: 'pprof-cpu',
    measure: (run) => sampled(run, of('utilization'), usually),
  },
  'max-heap-used': {
    summary: 'heap in use',
    kind: 'size',
    standard: '80%',
    unit: 'bytes',
    statistic: 'highest sample',
    evidence: 'pprof-heap',
    measure: (run, part) => bounded(run, part, of('heapUsedBytes'), of('heapLimitBytes'), 'heap limit'),
  },
  'max-heap-growth': {
    summary: 'what the heap grows by during the run, after forced garbage collections',
    kind: 'share',
    unit: 'share',
    statistic: 'Theil–Sen slope over forced collections',
    evidence: 'pprof-heap',
    measure: heapGrowth,
  },
  'max-rss': {
    summary: 'resident memory',
    kind: 'size',
    standard: '90%',
    unit: 'bytes',
    statistic: 'highest sample',
    evidence: 'pprof-heap',
    measure: (run, part) => bounded(run, part, of('rssBytes'), of('limitBytes'), 'memory limit (cgroup)'),
  },
  'max-external': {
    summary: 'memory outside the heap that objects hold',
    kind: 'size',
    unit: 'bytes',
    statistic: 'highest sample',
    evidence: 'pprof-heap',
    measure: (run, part) => bounded(run, part, of('externalBytes'), of('limitBytes'), 'memory limit (cgroup)'),
  },
  'max-handles': {
    summary: 'active handles',
    kind: 'count',
    unit: 'count',
    statistic: 'highest sample',
    measure: (run) => sampled(run, of('handles'), most),
  },
  'max-handle-growth': {
    summary: 'what the number of handles grows by during the run',
    kind: 'count',
    unit: 'count',
    statistic: 'Theil–Sen slope over the samples',
    measure: handleGrowth,
  },
  'max-gc-pause': {
    summary: 'longest garbage-collection pause',
    kind: 'duration',
    unit: 'milliseconds',
    statistic: 'longest of the run',
    evidence: 'pprof-heap',
    measure: gcPause,
  },
  'max-gc-share': {
    summary: 'share of time spent in garbage-collection pauses',
    kind: 'share',
    standard: '10%',
    unit: 'share',
    statistic: 'share of the run',
    evidence: 'pprof-heap',
    measure: (run) =>
      sampled(run, of('gcShare'), mean, 'garbage collections are counted only by an agent in the process'),
  },
  'max-throttled': {
    summary: 'share of time the CPU quota holds the process back',
    kind: 'share',
    standard: '10%',
    unit: 'share',
    statistic: 'share of the run',
    evidence: 'pprof-cpu',
    measure: (run) => sampled(run, of('throttled'), mean, 'it has no CPU quota (cgroup)'),
  },
  'max-restarts': {
    summary: 'restarts of the container during the run',
    kind: 'count',
    standard: '0',
    unit: 'count',
    statistic: 'count of the run',
    measure: restarts,
  },
  'node-version': {
    summary: 'version of Node.js',
    kind: 'range',
    unit: 'version',
    statistic: 'as the agent says',
    measure: ({ versions, problem }) => (versions ? { version: versions.node } : { missing: unanswered(problem) }),
  },
  'agent-version': {
    summary: 'version of the agent',
    kind: 'range',
    unit: 'version',
    statistic: 'as the agent says',
    measure: ({ versions, problem }) => (versions ? { version: versions.agent } : { missing: unanswered(problem) }),
  },
} as const satisfies Record<string, Check>;

export type CheckName = keyof typeof checks;
export const checkNames = Object.keys(checks) as CheckName[];

/** Whether a version is in a range; a pre-release counts as the version it leads to. */
export function inRange(version: string, range: string): boolean {
  return satisfies(version, range, { includePrerelease: true, loose: true });
}

/** `lacking` is why the figure can be missing from a process that answers. */
function sampled(
  run: ProcessRun,
  read: Read,
  statistic: (values: readonly number[]) => number | null,
  lacking?: string,
): Missing | Figure {
  const values = run.samples.flatMap((sample) => read(sample) ?? []);
  const value = statistic(values);
  if (values.length >= required(run) && value !== null) return { low: value, high: value };
  const nowhere = values.length === 0 && run.samples.length >= required(run) && lacking !== undefined;
  return nowhere ? { missing: lacking, inapplicable: true } : tooFew(run, values.length);
}

/** The highest of bytes, or of their part of what is allowed at most. */
function bounded(run: ProcessRun, part: boolean, read: Read, limit: Read, called: string): Missing | Figure {
  if (!part) return sampled(run, read, most);
  const share: Read = (sample) => {
    const [bytes, allowed] = [read(sample), limit(sample)];
    return bytes === null || !allowed ? null : bytes / allowed;
  };
  return sampled(run, share, most, `it has no ${called}`);
}

function heapGrowth({ afterGc, gcProblem, problem }: ProcessRun): Missing | Figure {
  if (afterGc.length < enough.collected) {
    const why = gcProblem ? `: ${gcProblem.message}` : problem ? `: ${unanswered(problem)}` : '';
    return { missing: `${afterGc.length} forced collections of the ${enough.collected} that it takes${why}` };
  }
  const line = growth(afterGc);
  if (!line || line.start <= 0) return { missing: 'the heap is too small to tell' };
  const share = Math.max(0, line.by / line.start);
  return { low: share, high: share };
}

function handleGrowth(run: ProcessRun): Missing | Figure {
  const points = run.samples.flatMap(({ atMs, handles }) => (handles === null ? [] : [{ atMs, value: handles }]));
  const line = points.length < required(run) ? null : growth(points);
  if (!line) return tooFew(run, points.length);
  const by = Math.max(0, line.by);
  return { low: by, high: by };
}

function gcPause(run: ProcessRun): Missing | Figure {
  const seen = run.samples.flatMap(({ pauses }) => pauses ?? []);
  if (seen.length < required(run)) {
    if (seen.length > 0 || run.samples.length < required(run)) return tooFew(run, seen.length);
    return { missing: 'garbage collections are counted only by an agent in the process', inapplicable: true };
  }
  return { low: Math.max(...seen.map(({ low }) => low)), high: Math.max(...seen.map(({ high }) => high)) };
}

/** A restart that was seen counts, whatever the pod's status could tell. */
function restarts({ restarts: told, resets, samples, target, problem }: ProcessRun): Missing | Figure {
  if (told !== null) return { low: Math.max(told, resets), high: Math.max(told, resets) };
  if (target.endpoint.pod)
    return resets > 0
      ? { low: resets, high: Number.POSITIVE_INFINITY }
      : { missing: "the pod's status could not be read" };
  return samples.length > 0 ? { low: resets, high: resets } : { missing: unanswered(problem) };
}

/** Half of what was due: fewer say too little about the whole run. */
function required({ due }: ProcessRun): number {
  return Math.max(enough.sampled, Math.ceil(due / 2));
}

function tooFew(run: ProcessRun, count: number): Missing {
  if (run.samples.length === 0 && run.problem) return { missing: unanswered(run.problem) };
  const why = run.problem ? `: ${run.problem.message}` : '';
  return { missing: `${count} samples of the ${required(run)} that it takes${why}` };
}

function unanswered(problem: ProcessRun['problem']): string {
  return problem?.message ?? 'it did not answer';
}
