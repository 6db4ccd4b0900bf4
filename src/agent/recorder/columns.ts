import { type SeriesName, seriesNames } from '../../protocol/figures.ts';

/** What one sample holds, in the order of its words in memory; NaN is what was not known. protocol/figures.ts says what each is. */
export const columns = seriesNames;
export type Column = SeriesName;
export type Figures = { readonly [C in Column]?: number };
