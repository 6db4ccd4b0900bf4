/** Many profiles into one. */
import { NodeopsError } from '../protocol/errors.ts';
import { emptyStack, type Label, Profile, type ValueType } from './model.ts';

/**
 * Merges profiles one at a time, so that none but the sum has to be kept. Durations add up and the earliest time stays, as
 * `go tool pprof` merges; comments that are the same are kept once.
 */
export class Merger {
  #sum: Profile | undefined;
  #first = '';

  /**
   * Adds one profile; `name` is what errors call it, `labels` are put on its samples in addition to their own.
   * Sample types that only one of them has are left out: CPU time is not known everywhere.
   * Throws NodeopsError `failed` naming both when they have none in common.
   */
  add(profile: Profile, name = 'the profile', labels: readonly Label[] = []): void {
    if (!this.#sum) {
      this.#sum = new Profile(profile.sampleTypes, profile.facts);
      this.#first = name;
      copySamples(profile, this.#sum, labels);
      return;
    }
    const common = commonTypes(this.#sum, profile);
    if (common.length === 0) {
      const [ours, theirs] = [this.#sum.sampleTypes, profile.sampleTypes].map(typeNames);
      throw new NodeopsError('failed', `${name} cannot be merged with ${this.#first}: it has ${theirs}, not ${ours}`, {
        hint: 'Merge profiles of one kind: CPU with CPU, heap with heap.',
      });
    }
    this.#sum = withTypes(this.#sum, common);
    const sum = this.#sum.facts;
    const more = profile.facts;
    this.#sum.facts = {
      ...sum,
      timeMs: sum.timeMs && more.timeMs ? Math.min(sum.timeMs, more.timeMs) : sum.timeMs || more.timeMs,
      durationNanos: sum.durationNanos + more.durationNanos,
      periodType: sum.periodType ?? more.periodType,
      period: Math.max(sum.period, more.period),
      comments: [...new Set([...sum.comments, ...more.comments])],
    };
    copySamples(profile, this.#sum, labels);
  }

  /** The sum so far. Throws NodeopsError `failed` when nothing was added. */
  result(): Profile {
    if (!this.#sum) throw new NodeopsError('failed', 'there is no profile to merge');
    return this.#sum;
  }
}

/** Merges profiles with the same sample types; see Merger. */
export function merge(profiles: Iterable<Profile>): Profile {
  const merger = new Merger();
  let i = 0;
  for (const profile of profiles) merger.add(profile, `profile ${++i}`);
  return merger.result();
}

/** Sample types that both have; none when they only count samples of different things. */
export function commonTypes(one: Profile, other: Profile): ValueType[] {
  const common = one.sampleTypes.filter((type) => columnOf(other, type) >= 0);
  const same = common.length === one.sampleTypes.length && common.length === other.sampleTypes.length;
  return same || common.some(({ type }) => type !== 'samples') ? common : [];
}

/** The same profile with these of its sample types only. */
export function withTypes(profile: Profile, types: readonly ValueType[]): Profile {
  if (typeNames(types) === typeNames(profile.sampleTypes)) return profile;
  const result = new Profile(types, profile.facts);
  copySamples(profile, result);
  return result;
}

function columnOf(profile: Profile, { type, unit }: ValueType): number {
  return profile.sampleTypes.findIndex((known) => known.type === type && known.unit === unit);
}

/** What copySamples lets through; everything by default. */
export interface Selection {
  /** Whether the sample with this stack and label set is kept. */
  readonly sample?: (stack: number, labelSet: number) => boolean;
  /** Whether this frame stays in the stacks; samples that are left with none are dropped. */
  readonly frame?: (frame: number) => boolean;
}

/** Copies samples with their functions, stacks and labels into another profile, whose sample types they have too. */
export function copySamples(
  from: Profile,
  to: Profile,
  labels: readonly Label[] = [],
  { sample: keepSample, frame: keepFrame }: Selection = {},
): void {
  const frames: number[] = [];
  const frameOf = (frame: number): number =>
    (frames[frame] ??= to.frame(to.function(from.functions[from.frameFunction[frame]!]!), from.frameLine[frame]!));
  const stacks: number[] = [emptyStack];
  // only stacks that samples use are made; their parents come first
  const stackOf = (stack: number): number => {
    const path: number[] = [];
    let at = stack;
    for (; stacks[at] === undefined; at = from.stackParent[at]!) path.push(at);
    let made = stacks[at]!;
    while (path.length > 0) {
      at = path.pop()!;
      const frame = from.stackFrame[at]!;
      if (!keepFrame || keepFrame(frame)) made = to.stack(made, frameOf(frame));
      stacks[at] = made;
    }
    return made;
  };
  const labelSets: number[] = [];
  const columns = to.sampleTypes.map((type) => from.values[columnOf(from, type)]!);
  const row: number[] = [];
  for (let i = 0; i < from.sampleCount; i++) {
    const stack = from.sampleStack[i]!;
    const labelSet = from.sampleLabels[i]!;
    if (keepSample && !keepSample(stack, labelSet)) continue;
    for (const [column, values] of columns.entries()) row[column] = values[i]!;
    const copied = stackOf(stack);
    // as pprof: a sample without frames is none
    if (keepFrame && copied === emptyStack) continue;
    labelSets[labelSet] ??= to.labels([...from.labelSets[labelSet]!, ...labels]);
    to.add(copied, labelSets[labelSet], row);
  }
}

/** `samples/count, cpu/nanoseconds` */
export function typeNames(types: readonly ValueType[]): string {
  return types.map(({ type, unit }) => `${type}/${unit}`).join(', ');
}
