import { defaultColumn } from '../diff.ts';
import type { Label, Profile } from '../model.ts';
import { formatValue } from '../units.ts';
import { profileHead, type ReportOptions, text } from './report.ts';

const separator = '-----------+-------------------------------------------------------';

export interface TracesOptions extends Pick<ReportOptions, 'column' | 'unit' | 'widthColumns'> {
  /** Stacks shown, in the profile's order; 0 for all. @default 0 */
  readonly limitStacks?: number;
}

/**
 * Every sample with its labels and its stack, innermost frame first, as `go tool pprof -traces`; labels that all samples have are
 * said once, above.
 */
export function traces(profile: Profile, options: TracesOptions = {}): string {
  const column = options.column ?? defaultColumn(profile);
  const { unit } = profile.sampleTypes[column]!;
  const lines: string[] = [];
  const shown = Math.min(profile.sampleCount, options.limitStacks || Number.POSITIVE_INFINITY);
  const { common, others } = splitLabels(profile);
  for (let sample = 0; sample < shown; sample++) {
    const names = profile
      .framesOf(profile.sampleStack[sample]!)
      .map((frame) => profile.functions[profile.frameFunction[frame]!]!.name);
    if (names.length === 0) continue;
    const value = formatValue(profile.values[column]![sample]!, unit, options.unit ?? 'auto');
    lines.push(separator, ...others(profile.sampleLabels[sample]!));
    lines.push(...names.map((name, i) => `${(i === 0 ? value : '').padStart(10)}   ${name}`));
  }
  lines.push(separator);
  if (shown < profile.sampleCount)
    lines.push(`Not shown: ${profile.sampleCount - shown} of ${profile.sampleCount} stacks`);
  return profileHead(profile, column) + text([...common, ...lines], options.widthColumns ?? 0);
}

/** Lines of labels that every sample has, and of those that a set has besides. */
function splitLabels(profile: Profile): { common: string[]; others: (labelSet: number) => string[] } {
  const used = [...new Set(profile.sampleLabels)];
  const lines = new Map(used.map((id) => [id, profile.labelSets[id]!.map(labelLine).sort()]));
  const [first = [], ...rest] = lines.values();
  const sets = rest.map((set) => new Set(set));
  const common = first.filter((line) => sets.every((set) => set.has(line)));
  const known = new Set(common);
  return { common, others: (labelSet) => lines.get(labelSet)!.filter((line) => !known.has(line)) };
}

function labelLine(label: Label): string {
  const value = 'text' in label ? label.text : formatValue(label.number, label.unit || label.key, 'auto');
  return `${`${label.key}:`.padStart(11)}  ${value}`;
}
