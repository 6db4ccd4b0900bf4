/** `--save-baseline` and `--baseline`: the figures of a run by workload and container, and whether they became worse. */
import { readFile } from 'node:fs/promises';
import { NodeopsError } from '../../../protocol/errors.ts';
import { schema } from '../../../protocol/wire.ts';
import type { Sample } from '../top/sample.ts';
import type { CheckName } from './checks.ts';
import type { Result } from './judge.ts';
import { figureText, limitText, type Unit } from './limit.ts';
import { enough } from './measure.ts';
import type { ProcessRun } from './run.ts';
import { mean, median, noise, quantile } from './statistics.ts';

/** What is compared of one process, and how much it wavers without a change. */
interface Wavering {
  readonly value: number;
  readonly noise: number;
}

interface Compared {
  readonly unit: Exclude<Unit, 'version'>;
  /** null where there is none. */
  figure(run: ProcessRun): Wavering | null;
  /** A difference below this means nothing on any machine. */
  readonly floor: number;
}

const mebibyte = 1024 * 1024;
const highest = (values: readonly number[]) => quantile(values, 1);
const mostly = (values: readonly number[]) => quantile(values, 0.95);
/** The figures that are compared, by the check that has the same. */
const compared: { readonly [N in CheckName]?: Compared } = {
  'max-loop-delay-p99': { figure: sampledFigure('delayP99Ms', mostly), unit: 'milliseconds', floor: 10 },
  'max-utilization': { figure: sampledFigure('utilization', median), unit: 'share', floor: 0.05 },
  'max-heap-used': { figure: sampledFigure('heapUsedBytes', highest), unit: 'bytes', floor: 4 * mebibyte },
  'max-rss': { figure: sampledFigure('rssBytes', highest), unit: 'bytes', floor: 8 * mebibyte },
  'max-external': { figure: sampledFigure('externalBytes', highest), unit: 'bytes', floor: 4 * mebibyte },
  'max-handles': { figure: sampledFigure('handles', highest), unit: 'count', floor: 5 },
  'max-gc-share': { figure: sampledFigure('gcShare', mean), unit: 'share', floor: 0.02 },
  'max-throttled': { figure: sampledFigure('throttled', mean), unit: 'share', floor: 0.02 },
  'max-uncaught-exceptions': { figure: uncaughtFigure, unit: 'count', floor: 0 },
};

function sampledFigure(
  key: Exclude<keyof Sample, 'stuck'>,
  statistic: (values: readonly number[]) => number | null,
): Compared['figure'] {
  return ({ samples }) => {
    const values = samples.flatMap((sample) => sample[key] ?? []);
    const value = values.length < enough.sampled ? null : statistic(values);
    return value === null ? null : { value, noise: noise(values) };
  };
}

/** What happens now and then wavers by the root of its count. */
function uncaughtFigure({ uncaught, samples }: ProcessRun): Wavering | null {
  if ('missing' in uncaught || uncaught.high > uncaught.low || samples.length < enough.sampled) return null;
  return { value: uncaught.low, noise: Math.sqrt(uncaught.low) };
}

/** One figure of one group, over its processes. */
export interface BaselineFigure extends Wavering {
  readonly unit: string;
  readonly processes: number;
}
export interface Baseline {
  readonly schema: typeof schema;
  readonly kind: 'SmokeBaseline';
  readonly at: string;
  readonly groups: Readonly<Record<string, Readonly<Record<string, BaselineFigure>>>>;
}

/** Pods are named anew with each run: figures belong to `WORKLOAD/CONTAINER`. */
export function groupOf({ workload, name }: ProcessRun): string {
  return `${workload ?? 'local'}/${name.container ?? 'node'}`;
}

export function makeBaseline(runs: readonly ProcessRun[], at: Date): Baseline {
  const groups: Record<string, Record<string, BaselineFigure>> = Object.create(null);
  for (const group of new Set(runs.map(groupOf))) {
    const members = runs.filter((run) => groupOf(run) === group);
    const figures = Object.entries(compared).flatMap(([name, each]) => {
      const figure = figureOf(members, each);
      return figure ? [[name, figure] as const] : [];
    });
    if (figures.length > 0) groups[group] = Object.fromEntries(figures);
  }
  return { schema, kind: 'SmokeBaseline', at: at.toISOString(), groups };
}

function figureOf(runs: readonly ProcessRun[], { figure, unit }: Compared): BaselineFigure | undefined {
  const each = runs.flatMap((run) => figure(run) ?? []);
  const value = median(each.map((one) => one.value));
  if (value === null) return undefined;
  const within = median(each.map((one) => one.noise))!;
  const between = noise(each.map((one) => one.value));
  return { value, noise: Math.max(within, between), unit, processes: each.length };
}

/** Times the noise that a difference has to exceed. */
const noises = 3;

/**
 * Worse is what exceeds the earlier figure by more than `tolerance` (a share of it), by more than both runs waver, and by more
 * than means anything. Smaller figures are never worse.
 */
export function compare(before: Baseline, now: Baseline, tolerance: number): { group: string; results: Result[] }[] {
  return Object.entries(now.groups).map(([group, figures]) => ({
    group,
    results: Object.entries(figures).map(([name, figure]) =>
      compareOne(name as CheckName, before.groups[group]?.[name], figure, tolerance),
    ),
  }));
}

/** Groups of the baseline that this run has not: nothing is compared of them. */
export function missingGroups(before: Baseline, now: Baseline): string[] {
  return Object.keys(before.groups).filter((group) => !Object.hasOwn(now.groups, group));
}

function compareOne(
  name: CheckName,
  old: BaselineFigure | undefined,
  figure: BaselineFigure,
  tolerance: number,
): Result {
  const { unit, floor } = compared[name]!;
  const text = (value: number) => figureText(unit, value);
  const base = { check: `baseline ${name}`, figure: figure.value, unit, value: text(figure.value) };
  if (!old) return { ...base, status: 'skip', limit: '', message: 'not applicable: the baseline has no such figure' };
  const allowed = old.value + Math.max(old.value * tolerance, noises * Math.hypot(old.noise, figure.noise), floor);
  const worse = figure.value > allowed;
  const was = `${text(figure.value)}, was ${text(old.value)}`;
  return {
    ...base,
    status: worse ? 'fail' : 'pass',
    limit: limitText({ unit, most: allowed }),
    message: worse ? `${was}; up to ${text(allowed)} is tolerance and noise` : was,
  };
}

/** Throws `local-file` or `usage`. */
export async function readBaseline(path: string): Promise<Baseline> {
  const text = await readFile(path, 'utf8').catch((cause: Error) => {
    throw new NodeopsError('local-file', `cannot read the baseline ${path}: ${cause.message}`, {
      cause,
      hint: 'write one with --save-baseline',
    });
  });
  let value: Partial<Baseline> | undefined;
  try {
    value = JSON.parse(text);
  } catch {
    // said below
  }
  const wrong = (why: string) =>
    new NodeopsError('usage', `${path} ${why}`, { hint: 'write a new one with --save-baseline' });
  if (value?.kind !== 'SmokeBaseline') throw wrong('is no baseline');
  if (value.schema !== schema)
    throw wrong(`is no baseline of schema ${schema}, but of ${JSON.stringify(value.schema)?.slice(0, 40) ?? 'none'}`);
  if (!isObject(value.groups)) throw wrong('is no baseline: it has no groups');
  for (const [group, figures] of Object.entries(value.groups)) {
    if (!isObject(figures)) throw wrong(`is no baseline: '${group.slice(0, 100)}' has no figures`);
    for (const [name, figure] of Object.entries(figures)) {
      const problem = problemOf(name, figure);
      if (problem) throw wrong(`is no baseline: '${name.slice(0, 60)}' of '${group.slice(0, 100)}' ${problem}`);
    }
  }
  return value as Baseline;
}

function problemOf(name: string, figure: Partial<BaselineFigure> | null): string | undefined {
  if (!Number.isFinite(figure?.value) || !Number.isFinite(figure?.noise)) return 'has no value and noise';
  const unit = Object.hasOwn(compared, name) ? compared[name as CheckName]!.unit : undefined;
  // what is not compared any more is of no matter
  if (unit === undefined || figure!.unit === unit) return undefined;
  return `is in ${JSON.stringify(figure!.unit)?.slice(0, 40)}, not ${unit}`;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
