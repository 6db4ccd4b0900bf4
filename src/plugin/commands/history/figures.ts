/** The figures that are drawn, and how their values are told. */
import type { HistoryReply } from '../../../protocol/history.ts';
import { bytesShort, duration } from '../../../protocol/text/quantities.ts';

export interface Drawn {
  readonly title: string;
  readonly figure: keyof HistoryReply['series'];
  /** Which of a merged sample's values tells more: a delay's longest, a heap's mean. */
  readonly part: 'mean' | 'max';
  readonly text: (value: number) => string;
  /** What the scale reaches up to at least. */
  readonly least: number;
  /** A line that values are compared with. */
  readonly limit?: (history: HistoryReply) => number | null;
}

const share = (value: number) => `${(value * 100).toFixed(0)}%`;

export const drawn: readonly Drawn[] = [
  { title: 'CPU', figure: 'cpuPercent', part: 'mean', text: (value) => `${value.toFixed(0)}%`, least: 100 },
  { title: 'event loop', figure: 'utilization', part: 'mean', text: share, least: 1 },
  { title: 'loop delay', figure: 'delayMaxMs', part: 'max', text: duration, least: 10 },
  {
    ...{ title: 'heap used', figure: 'heapUsedBytes', part: 'mean', text: bytesShort, least: 1 },
    limit: ({ heapLimitBytes }) => heapLimitBytes,
  },
  { title: 'heap total', figure: 'heapTotalBytes', part: 'mean', text: bytesShort, least: 1 },
  { title: 'external', figure: 'externalBytes', part: 'mean', text: bytesShort, least: 1 },
  {
    ...{ title: 'RSS', figure: 'rssBytes', part: 'mean', text: bytesShort, least: 1 },
    limit: ({ memoryLimitBytes }) => memoryLimitBytes,
  },
  {
    ...{ title: 'container', figure: 'cgroupUsedBytes', part: 'mean', text: bytesShort, least: 1 },
    limit: ({ memoryLimitBytes }) => memoryLimitBytes,
  },
  { title: 'GC pauses', figure: 'gcShare', part: 'mean', text: share, least: 0.1 },
  { title: 'threads', figure: 'threads', part: 'max', text: (value) => value.toFixed(0), least: 1 },
  { title: 'throttled', figure: 'throttled', part: 'mean', text: share, least: 1 },
];

/** Those of which anything is known. */
export function known(history: HistoryReply): Drawn[] {
  return drawn.filter(({ figure, part }) => history.series[figure][part].some((value) => value !== null));
}
