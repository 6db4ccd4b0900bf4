import type { NodeopsError } from '../../../protocol/errors.ts';
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

const of =
  <K extends keyof Sample>(key: K) =>
  (sample: Sample) =>
    sample[key] as number | null;
const shown = (value: number | null, format: (value: number) => string) => (value === null ? null : format(value));
const share = (part: number | null, whole: number | null) => (part === null || !whole ? null : part / whole);
const ratio = (part: number | null, whole: number | null) =>
  part === null ? null : `${bytesShort(part)}${whole === null ? '' : `/${bytesShort(whole)}`}`;

export const topColumns: readonly TopColumn[] = [
  {
    title: 'CPU',
    key: 'c',
    value: of('cpuPercent'),
    text: (s) => shown(s.cpuPercent, (value) => `${Math.round(value)}%`),
    alarming: (s) => (s.cpuPercent ?? 0) >= 90,
  },
  {
    title: 'THROTTLED',
    key: 't',
    value: of('throttled'),
    text: (s) => shown(s.throttled, percent),
    alarming: (s) => (s.throttled ?? 0) >= 0.05,
  },
  {
    title: 'LOOP',
    key: 'l',
    value: of('utilization'),
    text: (s) => shown(s.utilization, percent),
    alarming: (s) => (s.utilization ?? 0) >= 0.9,
  },
  {
    title: 'DELAY-P99',
    key: 'd',
    value: of('delayP99Ms'),
    text: (s) => shown(s.delayP99Ms, duration),
    alarming: (s) => (s.delayP99Ms ?? 0) >= 100,
  },
  {
    title: 'HEAP/LIMIT',
    key: 'h',
    value: of('heapUsedBytes'),
    text: (s) => ratio(s.heapUsedBytes, s.heapLimitBytes),
    alarming: (s) => (share(s.heapUsedBytes, s.heapLimitBytes) ?? 0) >= 0.8,
  },
  { title: 'EXTERNAL', key: 'e', value: of('externalBytes'), text: (s) => shown(s.externalBytes, bytesShort) },
  {
    title: 'RSS/LIMIT',
    key: 'm',
    value: of('rssBytes'),
    text: (s) => ratio(s.rssBytes, s.limitBytes),
    alarming: (s) => (share(s.rssBytes, s.limitBytes) ?? 0) >= 0.9,
  },
  {
    title: 'GC',
    key: 'g',
    value: of('gcShare'),
    text: (s) => shown(s.gcShare, percent),
    alarming: (s) => (s.gcShare ?? 0) >= 0.1,
  },
  { title: 'HANDLES', key: 'n', value: of('handles'), text: (s) => shown(s.handles, String) },
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
