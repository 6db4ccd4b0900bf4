/** Every check: what it looks at, what is made of the samples, and what its limit may be. Flags and file are made from this table. */
import type { Measured } from './figure.ts';
import type { LimitKind, Unit } from './limit.ts';
import {
  bounded,
  exits,
  gcPause,
  handleGrowth,
  heapGrowth,
  of,
  restarts,
  sampled,
  unanswered,
  uncaught,
} from './measure.ts';
import type { ProcessRun } from './run.ts';
import { mean, median, quantile } from './statistics.ts';

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
  'max-exits': {
    summary: 'processes that ended during the run and did not come back under their name',
    kind: 'count',
    standard: '0',
    unit: 'count',
    statistic: '1 when it is not there any more',
    measure: exits,
  },
  'max-uncaught-exceptions': {
    summary: 'uncaught exceptions and unhandled rejections during the run',
    kind: 'count',
    standard: '0',
    unit: 'count',
    statistic: 'count of the run',
    measure: uncaught,
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
