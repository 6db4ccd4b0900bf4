/** One column of a table over targets. */
export interface Column<T> {
  readonly title: string;
  readonly align?: 'right';
  /** Only with `-o wide`. */
  readonly wide?: boolean;
  /** What the cell shows; null shows as `-`. */
  text(value: T): string | null;
  /** The figure behind the cell; where there is one, those far from the others' are marked. */
  figure?(value: T): number | null;
  /** A figure closer to the median than this, in its own unit, is not marked. @default 0 */
  readonly leastDistance?: number;
}

const edges = [
  ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
  ...['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'],
];

/** The table's lines without borders, columns three blanks apart, as kubectl prints them. */
export async function tableLines<T>(columns: readonly Column<T>[], rows: readonly T[]): Promise<string[]> {
  const { default: Table } = await import('cli-table3');
  const table = new Table({
    head: columns.map(({ title }) => title),
    colAligns: columns.map(({ align }) => align ?? 'left'),
    chars: { ...Object.fromEntries(edges.map((edge) => [edge, ''])), middle: '   ' },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  table.push(...rows.map((row) => columns.map((column) => oneLine(column.text(row) ?? '-'))));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd());
}

/** Commands and messages hold line feeds and escapes of their own; only the colour of an outlier is ours. */
function oneLine(cell: string): string {
  return cell.replaceAll(/(?:(?!\u001b\[(?:31|39)m)[\u0000-\u001f\u007f-\u009f])+ */g, ' ');
}
