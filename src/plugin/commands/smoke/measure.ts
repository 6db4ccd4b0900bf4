/** What was seen of a process, as the figure of a check; or why there is none. */
import type { Sample } from '../top/sample.ts';
import type { Figure, Missing } from './figure.ts';
import type { ProcessRun, Seen } from './run.ts';
import { growth, quantile } from './statistics.ts';

/** Samples that a statistic needs. */
export const enough = { sampled: 5, collected: 4 } as const;

export type Read = (sample: Seen) => number | null;
/** A figure of a sample by its name. */
export const of =
  (key: Exclude<keyof Sample, 'stuck'>): Read =>
  (sample) =>
    sample[key];
const most = (values: readonly number[]) => quantile(values, 1);

/** `lacking` is why the figure can be missing from a process that answers. */
export function sampled(
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
export function bounded(run: ProcessRun, part: boolean, read: Read, limit: Read, called: string): Missing | Figure {
  if (!part) return sampled(run, read, most);
  const share: Read = (sample) => {
    const [bytes, allowed] = [read(sample), limit(sample)];
    return bytes === null || !allowed ? null : bytes / allowed;
  };
  return sampled(run, share, most, `it has no ${called}`);
}

export function heapGrowth({ afterGc, gcProblem, problem }: ProcessRun): Missing | Figure {
  if (afterGc.length < enough.collected) {
    const why = gcProblem ? `: ${gcProblem.message}` : problem ? `: ${unanswered(problem)}` : '';
    return { missing: `${afterGc.length} forced collections of the ${enough.collected} that it takes${why}` };
  }
  const line = growth(afterGc);
  if (!line || line.start <= 0) return { missing: 'the heap is too small to tell' };
  const share = Math.max(0, line.by / line.start);
  return { low: share, high: share };
}

export function handleGrowth(run: ProcessRun): Missing | Figure {
  const points = run.samples.flatMap(({ atMs, handles }) => (handles === null ? [] : [{ atMs, value: handles }]));
  const line = points.length < required(run) ? null : growth(points);
  if (!line) return tooFew(run, points.length);
  const by = Math.max(0, line.by);
  return { low: by, high: by };
}

export function gcPause(run: ProcessRun): Missing | Figure {
  const seen = run.samples.flatMap(({ pauses }) => pauses ?? []);
  if (seen.length < required(run)) {
    if (seen.length > 0 || run.samples.length < required(run)) return tooFew(run, seen.length);
    return { missing: 'garbage collections are counted only by an agent in the process', inapplicable: true };
  }
  return { low: Math.max(...seen.map(({ low }) => low)), high: Math.max(...seen.map(({ high }) => high)) };
}

/** A restart that was seen counts, whatever the pod's status could tell. */
export function restarts({ restarts: told, resets, samples, target, problem }: ProcessRun): Missing | Figure {
  if (told !== null) return { low: Math.max(told, resets), high: Math.max(told, resets) };
  if (target.endpoint.pod)
    return resets > 0
      ? { low: resets, high: Number.POSITIVE_INFINITY }
      : { missing: "the pod's status could not be read" };
  return samples.length > 0 ? { low: resets, high: resets } : { missing: unanswered(problem) };
}

export function uncaught(run: ProcessRun): Missing | Figure {
  return run.samples.length < required(run) ? tooFew(run, run.samples.length) : run.uncaught;
}

export function exits({ presence, problem }: ProcessRun): Missing | Figure {
  if (presence === 'there') return { low: 0, high: 0 };
  if (presence === 'gone') return { low: 1, high: 1 };
  return { missing: problem?.message ?? presence.unknown };
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

export function unanswered(problem: ProcessRun['problem']): string {
  return problem?.message ?? 'it did not answer';
}
