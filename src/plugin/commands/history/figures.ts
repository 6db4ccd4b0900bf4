/** How the values of figures are told, and which of them a history knows. */
import { type Figure, type FigureUnit, figures, type SeriesName, seriesNames } from '../../../protocol/figures.ts';
import type { HistoryReply } from '../../../protocol/history.ts';
import { bytesShort, duration } from '../../../protocol/text/quantities.ts';

export interface Drawn extends Figure {
  readonly figure: SeriesName;
  readonly text: (value: number) => string;
}

const texts: Readonly<Record<FigureUnit, (value: number) => string>> = {
  percent: (value) => `${value.toFixed(0)}%`,
  share: (value) => `${(value * 100).toFixed(0)}%`,
  bytes: bytesShort,
  ms: duration,
  count: (value) => value.toFixed(0),
};

const drawn: readonly Drawn[] = seriesNames.map((figure) => ({
  ...figures[figure],
  figure,
  text: texts[figures[figure].unit],
}));

/** What values are compared with, where they cannot be more. */
export function limitOf({ limit, bounded }: Figure, history: HistoryReply): number | null {
  return limit && bounded ? history[limit] : null;
}

/** Those of which anything is known. */
export function known(history: HistoryReply): Drawn[] {
  return drawn.filter(({ figure, part }) => history.series[figure][part].some((value) => value !== null));
}
