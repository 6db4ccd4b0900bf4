/** Two profiles, function by function: what got slower, or larger. */
import { NodeopsError } from '../protocol/errors.ts';
import { type Granularity, graphOf, place } from './graph.ts';
import { commonTypes, typeNames, withTypes } from './merge.ts';
import type { Profile, ValueType } from './model.ts';

export interface DiffOptions {
  /** Column to compare. @default the one shown first */
  readonly column?: number;
  /**
   * How the base is scaled before comparing. `duration`: to the new profile's length, for captures of different length (merged
   * profiles count every process). `total`: to the same sum, for different load. @default 'none'
   */
  readonly normalize?: 'none' | 'duration' | 'total';
}

export interface DiffRow {
  readonly name: string;
  readonly baseFlat: number;
  readonly newFlat: number;
  readonly baseCum: number;
  readonly newCum: number;
}

export interface Diff {
  readonly type: ValueType;
  /** What the base's values were multiplied by. */
  readonly scale: number;
  readonly baseTotal: number;
  readonly newTotal: number;
  /** Every function of either, largest change of flat first, then of cum. */
  readonly rows: readonly DiffRow[];
}

/**
 * Compares two profiles. Functions are the same when name and file are: their lines move from version to version.
 * Of different sample types those that both have are compared.
 * Throws NodeopsError `failed` when they have none in common, or `duration` is asked of a profile that does not tell it.
 */
export function diff(base: Profile, next: Profile, options: DiffOptions = {}): Diff {
  const [before, after] = [base, next].map((profile) => typeNames(profile.sampleTypes));
  if (before !== after) {
    const common = commonTypes(next, base);
    if (common.length > 0 && options.column === undefined)
      return diff(withTypes(base, common), withTypes(next, common), options);
    throw new NodeopsError('failed', `the profiles cannot be compared: one has ${before}, the other ${after}`, {
      hint: 'Compare profiles of one kind: CPU with CPU, heap with heap.',
    });
  }
  const column = options.column ?? defaultColumn(next);
  const scale = scaleOf(base, next, column, options.normalize ?? 'none');
  const rows = new Map<string, { -readonly [K in keyof DiffRow]: DiffRow[K] }>();
  const collect = (profile: Profile, flat: 'baseFlat' | 'newFlat', cum: 'baseCum' | 'newCum', factor: number) => {
    for (const node of graphOf(profile, column, byNameAndFile(profile)).nodes) {
      let row = rows.get(node.name);
      if (!row) {
        row = { name: node.name, baseFlat: 0, newFlat: 0, baseCum: 0, newCum: 0 };
        rows.set(node.name, row);
      }
      row[flat] = node.flat * factor;
      row[cum] = node.cum * factor;
    }
  };
  collect(base, 'baseFlat', 'baseCum', scale);
  collect(next, 'newFlat', 'newCum', 1);
  const change = (row: DiffRow) => [Math.abs(row.newFlat - row.baseFlat), Math.abs(row.newCum - row.baseCum)] as const;
  return {
    type: next.sampleTypes[column]!,
    scale,
    baseTotal: base.total(column) * scale,
    newTotal: next.total(column),
    rows: [...rows.values()].sort((a, b) => {
      const [flatA, cumA] = change(a);
      const [flatB, cumB] = change(b);
      return flatB - flatA || cumB - cumA || (a.name < b.name ? -1 : 1);
    }),
  };
}

/** The column shown first: the profile's default, else the last one, as pprof chooses. */
export function defaultColumn(profile: Profile): number {
  const index = profile.sampleTypes.findIndex(({ type }) => type === profile.facts.defaultSampleType);
  return index >= 0 ? index : profile.sampleTypes.length - 1;
}

function byNameAndFile(profile: Profile): Granularity {
  const names = profile.functions.map(({ name, file }) => [name, place(file, 0)].filter(Boolean).join(' '));
  const ofFrames = profile.frameFunction.map((id) => names[id]!);
  return { keys: ofFrames, names: ofFrames };
}

function scaleOf(base: Profile, next: Profile, column: number, normalize: 'none' | 'duration' | 'total'): number {
  if (normalize === 'none') return 1;
  const [before, after] =
    normalize === 'duration'
      ? [base.facts.durationNanos, next.facts.durationNanos]
      : [base.total(column), next.total(column)];
  if (before > 0 && after > 0) return after / before;
  throw new NodeopsError('failed', `the profiles cannot be scaled by ${normalize}: one of them has none`);
}
