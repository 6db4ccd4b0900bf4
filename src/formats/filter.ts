/** Parts of a profile, chosen as pprof's options of the same names choose them. */
import { copySamples } from './merge.ts';
import { emptyStack, type Label, Profile } from './model.ts';

/** Regular expressions over function names and files; they match anywhere. */
export interface Filter {
  /** Only samples with a matching frame. */
  readonly focus?: RegExp;
  /** No samples with a matching frame. */
  readonly ignore?: RegExp;
  /** Matching frames are left out of stacks, and samples that had no others. */
  readonly hide?: RegExp;
  /** Only matching frames stay in stacks. */
  readonly show?: RegExp;
  /** Only samples with a matching label. */
  readonly tagFocus?: TagFilter;
  /** No samples with a matching label. */
  readonly tagIgnore?: TagFilter;
}

/** A label's value, of one key or of any. */
export interface TagFilter {
  readonly key?: string;
  readonly value: RegExp;
}

/** Parses `KEY=REGEX` or `REGEX`, as pprof's tagfocus takes it. Throws SyntaxError for a bad expression. */
export function parseTagFilter(text: string): TagFilter {
  const [, key, value] = /^(?:([\w./-]+)=)?(.*)$/s.exec(text)!;
  return { ...(key === undefined ? {} : { key }), value: new RegExp(value!) };
}

/** The samples a filter leaves, as a new profile; the given one stays as it is. */
export function filter(profile: Profile, filter: Filter): Profile {
  const result = new Profile(profile.sampleTypes, profile.facts);
  const { focus, ignore, hide, show, tagFocus, tagIgnore } = filter;
  const inStack = (pattern: RegExp) => anywhere(profile, frames(profile, pattern));
  const focused = focus && inStack(focus);
  const ignored = ignore && inStack(ignore);
  const hidden = hide && frames(profile, hide);
  const shown = show && frames(profile, show);
  copySamples(profile, result, [], {
    sample: (stack, labelSet) => {
      const labels = profile.labelSets[labelSet]!;
      return (
        (!focused || focused[stack] === true) &&
        (!ignored || ignored[stack] === false) &&
        (!tagFocus || matches(labels, tagFocus)) &&
        !(tagIgnore && matches(labels, tagIgnore))
      );
    },
    frame: (frame) => !hidden?.[frame] && (!shown || shown[frame] === true),
  });
  return result;
}

/** Which frames match. */
function frames(profile: Profile, pattern: RegExp): boolean[] {
  // a global or sticky expression would remember where it stopped
  const plain = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''));
  const functions = profile.functions.map(({ name, file }) => plain.test(name) || plain.test(file));
  return profile.frameFunction.map((functionId) => functions[functionId]!);
}

/** Which stacks have such a frame anywhere. Parents have smaller ids, so one pass is enough. */
function anywhere(profile: Profile, frames: readonly boolean[]): boolean[] {
  const found: boolean[] = [];
  for (const [stack, parent] of profile.stackParent.entries())
    found.push(stack !== emptyStack && (frames[profile.stackFrame[stack]!]! || found[parent]!));
  return found;
}

function matches(labels: readonly Label[], { key, value }: TagFilter): boolean {
  const plain = new RegExp(value.source, value.flags.replace(/[gy]/g, ''));
  return labels.some(
    (label) =>
      (key === undefined || label.key === key) &&
      plain.test('text' in label ? label.text : `${label.number}${label.unit}`),
  );
}
