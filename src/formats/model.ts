/**
 * One profile in memory, whatever file it came from: columns instead of objects, stacks as a trie, so that a hundred merged
 * profiles of one program cost little more than one.
 */

/** What a column of values counts, as pprof names it: `cpu` in `nanoseconds`, `inuse_space` in `bytes`. */
export interface ValueType {
  readonly type: string;
  readonly unit: string;
}

/** A label of a sample: text (`pod=api-0`) or a number with a unit (`bytes=4096`). */
export type Label =
  | { readonly key: string; readonly text: string }
  | { readonly key: string; readonly number: number; readonly unit: string };

/** What a profile says of itself besides its samples. */
export interface ProfileFacts {
  /** When it was taken: milliseconds since 1970, 0 if unknown. */
  readonly timeMs: number;
  /** How long it was taken for, 0 if unknown. */
  readonly durationNanos: number;
  /** What the period counts; null if unknown. */
  readonly periodType: ValueType | null;
  /** Distance between two samples in units of `periodType`, 0 if unknown. */
  readonly period: number;
  /** Sentences shown above reports; those that begin with `#` are not shown. */
  readonly comments: readonly string[];
  /** Type of the column shown first; null: the last one. */
  readonly defaultSampleType: string | null;
}

export const noFacts: ProfileFacts = {
  timeMs: 0,
  durationNanos: 0,
  periodType: null,
  period: 0,
  comments: [],
  defaultSampleType: null,
};

/** A function as reports name it. `line` is where it begins (from 1), 0 if unknown. */
export interface FunctionInfo {
  readonly name: string;
  /** Its name before source maps, else the same. */
  readonly systemName: string;
  /** Path or URL, empty if unknown. */
  readonly file: string;
  readonly line: number;
}

/** The empty stack: parent of every outermost frame. */
export const emptyStack = 0;
/** The set of no labels. */
export const noLabels = 0;

// two ids in one exact integer: below 2^27 stacks times 2^26 frames
const lowRange = 2 ** 26;

export class Profile {
  readonly sampleTypes: readonly ValueType[];
  facts: ProfileFacts;

  readonly functions: FunctionInfo[] = [];
  /** A frame is a function at a line. */
  readonly frameFunction: number[] = [];
  /** From 1, 0 if unknown. */
  readonly frameLine: number[] = [];
  /** A stack is a frame on top of its parent; ids grow from the root, so a parent's is always smaller. */
  readonly stackParent: number[] = [-1];
  readonly stackFrame: number[] = [-1];
  readonly labelSets: (readonly Label[])[] = [[]];
  readonly sampleStack: number[] = [];
  readonly sampleLabels: number[] = [];
  /** One column per sample type, a value per sample. */
  readonly values: readonly number[][];

  readonly #functionIds = new Map<string, number>();
  readonly #frameIds = new Map<number, number>();
  readonly #stackIds = new Map<number, number>();
  readonly #labelIds = new Map<string, number>([['', noLabels]]);
  readonly #sampleIds = new Map<number, number>();

  constructor(sampleTypes: readonly ValueType[], facts: Partial<ProfileFacts> = {}) {
    this.sampleTypes = sampleTypes;
    this.values = sampleTypes.map(() => []);
    this.facts = { ...noFacts, ...facts };
  }

  get sampleCount(): number {
    return this.sampleStack.length;
  }

  /** The id of a function, new or known. */
  function(info: FunctionInfo): number {
    const key = `${info.name}\0${info.systemName}\0${info.file}\0${info.line}`;
    let id = this.#functionIds.get(key);
    if (id === undefined) {
      id = this.functions.push(info) - 1;
      this.#functionIds.set(key, id);
    }
    return id;
  }

  /** The id of a function at a line. */
  frame(functionId: number, line: number): number {
    const at = line > 0 && line < lowRange ? line : 0;
    const key = functionId * lowRange + at;
    let id = this.#frameIds.get(key);
    if (id === undefined) {
      id = this.frameFunction.push(functionId) - 1;
      this.frameLine.push(at);
      this.#frameIds.set(key, id);
    }
    return id;
  }

  /** The id of the stack that has `frame` on top of `parent`. */
  stack(parent: number, frame: number): number {
    const key = parent * lowRange + frame;
    let id = this.#stackIds.get(key);
    if (id === undefined) {
      id = this.stackParent.push(parent) - 1;
      this.stackFrame.push(frame);
      this.#stackIds.set(key, id);
    }
    return id;
  }

  /** The id of a set of labels; their order does not matter. */
  labels(labels: readonly Label[]): number {
    // an identical label twice is one, as when a profile that knows its pod is merged under that pod's name
    const unique = new Map(labels.map((label) => [labelKey(label), label]));
    const sorted = [...unique].sort(([a], [b]) => (a < b ? -1 : 1));
    const key = sorted.map(([text]) => text).join('\x01');
    let id = this.#labelIds.get(key);
    if (id === undefined) {
      id = this.labelSets.push(sorted.map(([, label]) => label)) - 1;
      this.#labelIds.set(key, id);
    }
    return id;
  }

  /** Adds values (one per sample type) to the sample of a stack and label set. */
  add(stack: number, labelSet: number, values: readonly number[]): void {
    const key = stack * lowRange + labelSet;
    const known = this.#sampleIds.get(key);
    if (known === undefined) {
      this.#sampleIds.set(key, this.sampleStack.push(stack) - 1);
      this.sampleLabels.push(labelSet);
      for (const [i, column] of this.values.entries()) column.push(values[i]!);
    } else {
      for (const [i, column] of this.values.entries()) column[known]! += values[i]!;
    }
  }

  /** Frames of a stack, innermost first. */
  framesOf(stack: number): number[] {
    const frames: number[] = [];
    for (let at = stack; at !== emptyStack; at = this.stackParent[at]!) frames.push(this.stackFrame[at]!);
    return frames;
  }

  /** Sum of a column. */
  total(column: number): number {
    return this.values[column]!.reduce((sum, value) => sum + value, 0);
  }
}

/** Text labels from a plain record; what is undefined is left out. */
export function textLabels(record: Readonly<Record<string, string | undefined>>): Label[] {
  return Object.entries(record).flatMap(([key, text]) => (text === undefined ? [] : [{ key, text }]));
}

function labelKey(label: Label): string {
  return 'text' in label ? `${label.key}\0t${label.text}` : `${label.key}\0n${label.number}\0${label.unit}`;
}
