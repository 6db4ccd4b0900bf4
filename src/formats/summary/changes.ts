import type { Diff } from '../diff.ts';
import { formatValue, percentage, reportUnit } from '../units.ts';
import { type ReportOptions, text } from './report.ts';

/** Which end of a diff to print. */
export interface ChangesOptions extends Pick<ReportOptions, 'nodeCount' | 'sort' | 'unit' | 'widthColumns'> {
  /** `worse`: only what grew; `better`: only what shrank. @default 'all' */
  readonly show?: 'all' | 'worse' | 'better';
}

/** A diff as a table: change of flat and cum, both with base and new value. `nodeCount` is 20 unless given. */
export function changes(diff: Diff, options: ChangesOptions = {}): string {
  const sort = options.sort ?? 'flat';
  const delta = (row: Diff['rows'][number], of: 'flat' | 'cum') =>
    of === 'flat' ? row.newFlat - row.baseFlat : row.newCum - row.baseCum;
  const changed = diff.rows
    .filter((row) => Math.abs(delta(row, 'flat')) >= 0.5 || Math.abs(delta(row, 'cum')) >= 0.5)
    .filter((row) => {
      const change = delta(row, sort);
      return options.show === 'worse' ? change > 0 : options.show === 'better' ? change < 0 : true;
    })
    .sort((a, b) => Math.abs(delta(b, sort)) - Math.abs(delta(a, sort)) || (a.name < b.name ? -1 : 1));
  const count = options.nodeCount ?? 20;
  const shown = count > 0 ? changed.slice(0, count) : changed;
  const { unit } = diff.type;
  const to =
    options.unit ??
    reportUnit(
      shown.map((row) => delta(row, 'flat') || delta(row, 'cum')),
      Math.max(diff.baseTotal, diff.newTotal),
      unit,
    );
  const value = (number: number) => formatValue(number, unit, to);
  const signed = (number: number) => (number > 0 ? `+${value(number)}` : value(number));
  const head = [
    `Type: ${diff.type.type}`,
    `Total: ${value(diff.baseTotal)} -> ${value(diff.newTotal)} (${signed(diff.newTotal - diff.baseTotal)})${diff.scale === 1 ? '' : `, base times ${diff.scale.toPrecision(4)}`}`,
  ];
  if (shown.length === 0) return text([...head, 'No function changed'], 0);
  if (shown.length < changed.length)
    head.push(`Showing top ${shown.length} of ${changed.length} functions that changed`);
  const rows = shown.map((row) => {
    const flat = delta(row, 'flat');
    const cum = delta(row, 'cum');
    const cells = [signed(flat), percentage(flat, diff.baseTotal), value(row.baseFlat), value(row.newFlat)];
    const more = [signed(cum), percentage(cum, diff.baseTotal)];
    return `${[...cells, ...more].map((cell, i) => cell.padStart([10, 6, 10, 10, 10, 6][i]!)).join(' ')}  ${row.name}`;
  });
  const legend = '     +flat +flat%  base flat   new flat       +cum  +cum%';
  return text([...head, legend, ...rows], options.widthColumns ?? 0);
}
