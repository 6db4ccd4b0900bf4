import type { NodeopsError } from '../../../protocol/errors.ts';
import {
  type Figure,
  type FigureName,
  type FigureUnit,
  figureOf,
  figures,
  type TopFigure,
} from '../../../protocol/figures.ts';
import { bytesShort, duration, percent } from '../../../protocol/text/quantities.ts';
import type { TargetName } from '../../render/target-name.ts';
import type { Sample } from './sample.ts';

/** One process on the screen. */
export interface Row {
  readonly target: TargetName;
  readonly sample: Sample | undefined;
  /** Why there is no fresh sample. */
  readonly problem: NodeopsError | undefined;
}

export interface TopColumn {
  readonly title: string;
  /** The key that sorts by it. */
  readonly key: string;
  value(sample: Sample): number | null;
  text(sample: Sample): string | null;
  /** Whether the figure deserves to be noticed. */
  alarming?(sample: Sample): boolean;
}

/** A figure of the protocol's table that a sample of `top` has. */
type TopName = FigureName & keyof Sample;

const texts: Readonly<Record<FigureUnit, (value: number) => string>> = {
  percent: (value) => `${Math.round(value)}%`,
  share: percent,
  bytes: bytesShort,
  ms: duration,
  count: String,
};

function columnOf(name: TopName, { unit, limit, bounded }: Figure, { heading, key, marked }: TopFigure): TopColumn {
  const limitOf = (sample: Sample) =>
    !bounded || !limit ? null : limit === 'heapLimitBytes' ? sample.heapLimitBytes : sample.limitBytes;
  return {
    title: heading,
    key,
    value: (sample) => sample[name],
    text(sample) {
      const [value, whole] = [sample[name], limitOf(sample)];
      if (value === null) return null;
      return `${texts[unit](value)}${whole === null ? '' : `/${bytesShort(whole)}`}`;
    },
    ...(marked !== undefined && {
      alarming(sample: Sample) {
        const whole = bounded && limit ? limitOf(sample) : 1;
        return whole !== null && whole > 0 && (sample[name] ?? 0) / whole >= marked;
      },
    }),
  };
}

const handles: TopColumn = {
  title: 'HANDLES',
  key: 'n',
  value: (sample) => sample.handles,
  text: (sample) => (sample.handles === null ? null : String(sample.handles)),
};

/** A figure with a heading for `top` is one of its samples: else this does not compile. */
type Headed = { [N in FigureName]: (typeof figures)[N] extends { top: TopFigure } ? N : never }[FigureName];
const headed = (Object.keys(figures) as FigureName[]).filter((name): name is Headed => 'top' in figures[name]);

export const topColumns: readonly TopColumn[] = [
  ...headed.map((name: TopName) => columnOf(name, figures[name], figureOf(name).top!)),
  handles,
];

export function rowName({ target }: Row): string {
  if (target.pod === null && target.container === null) return target.address!;
  const process = [target.container, target.pid].filter((part) => part !== null).join('/');
  return `${target.pod ?? target.address}${process && ` ${process}`}`;
}

/** What is wrong with a process, without the name that stands in its row anyway. */
export function problemText({ problem, sample }: Row): string {
  return (problem?.message ?? sample?.stuck ?? '')
    .replace(/^pod '[^']*' in namespace '[^']*':? /, '')
    .replace(/ of pod '[^']*' in namespace '[^']*'/, '');
}

/** By a column, largest first; those without a figure last; equal ones by name. Without a column by name. */
export function sortRows(rows: readonly Row[], column: TopColumn | undefined): Row[] {
  const figure = (row: Row) => (column && row.sample ? column.value(row.sample) : null) ?? Number.NEGATIVE_INFINITY;
  const byName = (a: Row, b: Row) => rowName(a).localeCompare(rowName(b), 'en', { numeric: true });
  return [...rows].sort((a, b) => (column ? figure(b) - figure(a) || byName(a, b) : byName(a, b)) || byName(a, b));
}
