/** The outcome of a run as one plain value: table, JSON, JUnit, Markdown and annotations are made from it. */
import type { NodeopsError } from '../../../protocol/errors.ts';
import { encodeError, schema } from '../../../protocol/wire.ts';
import type { TargetName } from '../../render/target-name.ts';
import type { Evidence } from './evidence.ts';
import { type Judged, oneLine, type Result, type Status } from './judge.ts';

export type Verdict = 'pass' | 'fail' | 'unknown';

/** A process with its results, or a group of processes compared with the baseline. */
export interface Subject {
  /** What people call it: `pod/api-0 web/7`, or `api/web` of the baseline. */
  readonly name: string;
  readonly target: TargetName | null;
  readonly workload: string | null;
  readonly nodeVersion: string | null;
  readonly agentVersion: string | null;
  readonly samples: number;
  readonly failedPolls: number;
  readonly results: readonly Result[];
  readonly evidence: Evidence;
}

export interface SmokeReport {
  readonly schema: typeof schema;
  readonly operation: 'smoke';
  /** ISO 8601, of the run's beginning. */
  readonly at: string;
  readonly verdict: Verdict;
  readonly forMs: number;
  readonly everyMs: number;
  readonly warmupMs: number;
  readonly counts: Readonly<Record<Status, number>>;
  readonly subjects: readonly Subject[];
  /** Why nothing could be checked at all. */
  readonly problem: ReturnType<typeof encodeError>['error'] | null;
  readonly notes: readonly string[];
}

/** Exit codes of `smoke`. */
export const exitCodes: Readonly<Record<Verdict, number>> = { pass: 0, fail: 1, unknown: 2 };

export interface ReportRequest {
  readonly at: Date;
  readonly forMs: number;
  readonly everyMs: number;
  readonly warmupMs: number;
  readonly subjects: readonly Subject[];
  readonly problem?: NodeopsError;
  readonly notes: readonly string[];
}

export function makeReport({ at, subjects, problem, notes, forMs, everyMs, warmupMs }: ReportRequest): SmokeReport {
  const all = subjects.flatMap(({ results }) => results);
  const count = (wanted: Status) => all.filter(({ status }) => status === wanted).length;
  const counts = { pass: count('pass'), fail: count('fail'), unknown: count('unknown'), skip: count('skip') };
  return {
    schema,
    operation: 'smoke',
    at: at.toISOString(),
    verdict: verdictOf(counts, problem),
    forMs,
    everyMs,
    warmupMs,
    counts,
    subjects,
    problem: problem ? encodeError(problem).error : null,
    notes: notes.map(oneLine),
  };
}

/** Nothing that passed is no pass: a run in which nothing could be looked at must not be green. */
function verdictOf({ pass, fail, unknown }: Record<Status, number>, problem: NodeopsError | undefined): Verdict {
  if (fail > 0) return 'fail';
  return problem || unknown > 0 || pass === 0 ? 'unknown' : 'pass';
}

export const noEvidence: Evidence = { files: [], problems: [] };

export function subjectOf({ run, results }: Judged, evidence: Evidence): Subject {
  const { name, workload, versions, samples, failed } = run;
  return {
    name: processName(name),
    target: name,
    workload,
    nodeVersion: versions?.node ?? null,
    agentVersion: versions?.agent ?? null,
    samples: samples.length,
    failedPolls: failed,
    results,
    evidence,
  };
}

export function processName({ pod, address, container, pid }: TargetName): string {
  const process = [container, pid].filter((part) => part !== null).join('/');
  const place = pod === null ? address! : `pod/${pod}`;
  return oneLine(process === '' || place === `process ${process}` ? place : `${place} ${process}`);
}

/** `3 failed, 1 could not be checked, 20 passed, 2 not applicable` */
export function summaryText({ counts, problem }: SmokeReport): string {
  if (problem) return `could not check: ${oneLine(problem.message)}`;
  const parts = [
    [counts.fail, 'failed'],
    [counts.unknown, 'could not be checked'],
    [counts.pass, 'passed'],
    [counts.skip, 'not applicable'],
  ] as const;
  const said = parts.filter(([number]) => number > 0).map(([number, word]) => `${number} ${word}`);
  return said.join(', ') || 'no check was made';
}
