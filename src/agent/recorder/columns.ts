import { historyFigures } from '../../protocol/history.ts';

/**
 * What one sample holds, in the order of its words in memory; NaN is what was not known. `cpuPercent`: of the process, 100 is
 * one core. `utilization`, `gcShare`, `throttled`: shares of the time, 0 to 1. `delayMaxMs`: the longest that a timer came late.
 * `threads`, `cgroupUsedBytes` and `throttled` are known while the agent is awake.
 */
export const columns = historyFigures;
export type Column = (typeof columns)[number];
export type Figures = { readonly [C in Column]?: number };
