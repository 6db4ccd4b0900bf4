import { defaultColumn } from '../diff.ts';
import type { Profile } from '../model.ts';
import { formatValue, percentage } from '../units.ts';
import { type ReportOptions, text } from './report.ts';

/** Labels with the share of the total that each value has, as `go tool pprof -tags`. */
export function tags(profile: Profile, options: Pick<ReportOptions, 'column' | 'unit' | 'widthColumns'> = {}): string {
  const column = options.column ?? defaultColumn(profile);
  const { unit } = profile.sampleTypes[column]!;
  const total = profile.total(column);
  const format = (value: number) => formatValue(value, unit, options.unit ?? 'auto');
  const keys = new Map<string, Map<string, number>>();
  for (let sample = 0; sample < profile.sampleCount; sample++)
    for (const label of profile.labelSets[profile.sampleLabels[sample]!]!) {
      const name = 'text' in label ? label.text : formatValue(label.number, label.unit || label.key, 'auto');
      let values = keys.get(label.key);
      if (!values) {
        values = new Map();
        keys.set(label.key, values);
      }
      values.set(name, (values.get(name) ?? 0) + profile.values[column]![sample]!);
    }
  if (keys.size === 0) return 'no sample has labels\n';
  const sums = [...keys].map(([key, values]) => ({
    key,
    values,
    sum: [...values.values()].reduce((a, b) => a + b, 0),
  }));
  const lines: string[] = [];
  for (const { key, values, sum } of sums.sort((a, b) => b.sum - a.sum || (a.key < b.key ? -1 : 1))) {
    lines.push(` ${key}: Total ${format(sum)} of ${format(total)} (${percentage(sum, total)})`);
    const rows = [...values].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
    const cells = rows.map(([, value]) => `${format(value)} (${percentage(value, sum)}):`);
    const width = key.length + 2 + Math.max(...cells.map((cell) => cell.length)) + 1;
    lines.push(...rows.map(([name], i) => `${cells[i]!.padStart(width)} ${name}`), '');
  }
  return text(lines, options.widthColumns ?? 0);
}
