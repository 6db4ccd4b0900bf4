/** The picture of `top` as lines: pure, so that tests compare it at any size. */
import { problemText, type Row, rowName, sortRows, type TopColumn, topColumns } from './columns.ts';

export interface View {
  readonly sort: TopColumn | undefined;
  /** Name of the selected row. */
  readonly selected: string | undefined;
  readonly paused: boolean;
  /** Shown below the table instead of the keys, such as a stack. */
  readonly panel: readonly string[] | undefined;
  /** Lines of the panel, after its first, that are scrolled past. */
  readonly scrolled: number;
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

export interface Paint {
  readonly bold: (text: string) => string;
  readonly inverse: (text: string) => string;
  readonly alarm: (text: string) => string;
  readonly dim: (text: string) => string;
}

export const plain: Paint = { bold: String, inverse: String, alarm: String, dim: String };

/** Lines of at most `size.columns` characters and at most `size.rows` of them; columns that do not fit are left out. */
export function frame(rows: readonly Row[], view: View, size: Size, now: Date, paint: Paint): string[] {
  const sorted = sortRows(rows, view.sort);
  const heading = headingLine(rows, view, now);
  const panel = view.panel ? panelLines(view.panel, view.scrolled, size.rows) : [keys(view)];
  const room = Math.max(1, size.rows - panel.length - 3);
  const selectedIndex = Math.max(
    0,
    sorted.findIndex((row) => rowName(row) === view.selected),
  );
  const first = Math.min(Math.max(0, selectedIndex - room + 1), Math.max(0, sorted.length - room));
  const visible = sorted.slice(first, first + room);
  const table = tableOf(visible, size.columns, view.selected, paint);
  const more =
    sorted.length > visible.length ? [paint.dim(cut(`${sorted.length - visible.length} more`, size.columns))] : [];
  return [paint.bold(cut(heading, size.columns)), ...table, ...more, ...panel.map((line) => cut(line, size.columns))];
}

/** At most half the screen. */
function panelLines([head = '', ...lines]: readonly string[], scrolled: number, rows: number): string[] {
  const room = Math.max(3, Math.floor(rows / 2)) - 1;
  const first = Math.min(scrolled, Math.max(0, lines.length - room));
  return [head, ...lines.slice(first, first + room)];
}

function headingLine(rows: readonly Row[], { sort, paused }: View, now: Date): string {
  const failing = rows.filter(({ problem }) => problem).length;
  return [
    `nodeops top - ${now.toTimeString().slice(0, 8)}`,
    `${rows.length} processes`,
    ...(failing ? [`${failing} without answer`] : []),
    `by ${sort ? sort.title.toLowerCase() : 'name'}`,
    ...(paused ? ['paused'] : []),
  ].join(', ');
}

function keys(view: View): string {
  const sorting = topColumns.map(({ key, title }) => `${key} ${title.toLowerCase()}`).join(' ');
  return `q quit  space ${view.paused ? 'go on' : 'pause'}  s stack  p profile  sort: a name ${sorting}`;
}

function tableOf(rows: readonly Row[], width: number, selected: string | undefined, paint: Paint): string[] {
  const nameWidth = Math.max(7, ...rows.map((row) => rowName(row).length));
  const cells = rows.map((row) => topColumns.map((column) => (row.sample ? (column.text(row.sample) ?? '-') : '')));
  const widths = topColumns.map((column, index) =>
    Math.max(column.title.length, ...cells.map((line) => line[index]!.length)),
  );
  const shown = Math.min(nameWidth, Math.max(12, width - 30));
  const ends = widths.map((_, index) => shown + widths.slice(0, index + 1).reduce((sum, width) => sum + width + 2, 0));
  const fitting = topColumns.filter((_, index) => ends[index]! <= width);
  const title =
    'PROCESS'.padEnd(shown) + fitting.map((column, index) => `  ${column.title.padStart(widths[index]!)}`).join('');
  const lines = rows.map((row, line) => {
    const name = cut(rowName(row), shown).padEnd(shown);
    const mark = rowName(row) === selected ? paint.inverse(name) : name;
    if (!row.sample) return mark + paint.dim(cut(`  ${problemText(row) || '…'}`, width - shown));
    const { sample } = row;
    if (sample.stuck) return mark + paint.alarm(cut(`  ${sample.stuck}`, width - shown));
    const figures = fitting.map((column, index) => {
      const text = `  ${cells[line]![index]!.padStart(widths[index]!)}`;
      return column.alarming?.(sample) ? paint.alarm(text) : text;
    });
    return mark + figures.join('');
  });
  return [paint.bold(cut(title, width)), ...lines];
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}
