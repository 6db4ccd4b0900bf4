/**
 * The figures of a process over time, each said once: history, triggers, `top`, their documents and schemas derive from this table.
 * A new one is a row here and its measurement in src/agent/recorder/watch.ts; `npm run docs` writes the rest.
 */

/** `percent`: 100 is one core. `share`: of the time, 0 to 1; told and compared in percent. */
export type FigureUnit = 'percent' | 'share' | 'bytes' | 'ms' | 'count';

/** A column of `top`. */
export interface TopFigure {
  readonly heading: string;
  /** The key that sorts by it. */
  readonly key: string;
  /** From here on it is marked, and `why` finds it: a value, or a share of the limit where `bounded` by one. */
  readonly marked?: number;
}

export interface Figure {
  /** In a line of `history`. */
  readonly title: string;
  readonly unit: FigureUnit;
  /** What rules of triggers call it. */
  readonly rule: string;
  /** Said behind the rule's name in docs/triggers.md. */
  readonly note?: string;
  /** Which of a merged sample's values tells more: a delay's longest, a heap's mean. */
  readonly part: 'mean' | 'max';
  /** What a chart's scale reaches up to at least. */
  readonly least: number;
  /** What `% of limit` means. */
  readonly limit?: 'heapLimitBytes' | 'memoryLimitBytes';
  /** Whether it cannot be more than its limit, or than all of the time. */
  readonly bounded?: boolean;
  /** Whether a stall under way, in milliseconds, is a value of it, too. */
  readonly delay?: boolean;
  readonly top?: TopFigure;
}

/** What runs, as samples hold it. */
const ofTime = {
  cpuPercent: {
    title: 'CPU',
    unit: 'percent',
    rule: 'cpu',
    note: '100% is one core',
    part: 'mean',
    least: 100,
    top: { heading: 'CPU', key: 'c', marked: 90 },
  },
  throttled: {
    title: 'throttled',
    unit: 'share',
    rule: 'throttled',
    part: 'mean',
    least: 1,
    bounded: true,
    top: { heading: 'THROTTLED', key: 't', marked: 0.1 },
  },
  utilization: {
    title: 'event loop',
    unit: 'share',
    rule: 'utilization',
    part: 'mean',
    least: 1,
    bounded: true,
    top: { heading: 'LOOP', key: 'l', marked: 0.9 },
  },
  delayMaxMs: {
    title: 'loop delay',
    unit: 'ms',
    rule: 'loopDelayMax',
    note: 'of the last second',
    part: 'max',
    least: 10,
    delay: true,
  },
} as const satisfies Readonly<Record<string, Figure>>;

/** What is held, and the rest. */
const ofSpace = {
  heapUsedBytes: {
    title: 'heap used',
    unit: 'bytes',
    rule: 'heapUsed',
    part: 'mean',
    least: 1,
    limit: 'heapLimitBytes',
    bounded: true,
    top: { heading: 'HEAP/LIMIT', key: 'h', marked: 0.8 },
  },
  heapTotalBytes: {
    title: 'heap total',
    unit: 'bytes',
    rule: 'heapTotal',
    part: 'mean',
    least: 1,
    limit: 'heapLimitBytes',
    bounded: true,
  },
  externalBytes: {
    // memory outside the heap may be promised only
    title: 'external',
    unit: 'bytes',
    rule: 'external',
    part: 'mean',
    least: 1,
    limit: 'memoryLimitBytes',
    top: { heading: 'EXTERNAL', key: 'e' },
  },
  rssBytes: {
    title: 'RSS',
    unit: 'bytes',
    rule: 'rss',
    part: 'mean',
    least: 1,
    limit: 'memoryLimitBytes',
    bounded: true,
    top: { heading: 'RSS/LIMIT', key: 'm', marked: 0.9 },
  },
  cgroupUsedBytes: {
    title: 'container',
    unit: 'bytes',
    rule: 'cgroupUsed',
    part: 'mean',
    least: 1,
    limit: 'memoryLimitBytes',
    bounded: true,
  },
  gcShare: {
    title: 'GC pauses',
    unit: 'share',
    rule: 'gc',
    part: 'mean',
    least: 0.1,
    bounded: true,
    top: { heading: 'GC', key: 'g', marked: 0.1 },
  },
  threads: { title: 'threads', unit: 'count', rule: 'threads', part: 'max', least: 1 },
} as const satisfies Readonly<Record<string, Figure>>;

export const figures = {
  ...ofTime,
  delayP99Ms: {
    title: 'loop delay p99',
    unit: 'ms',
    rule: 'loopDelayP99',
    note: 'of the last minute',
    part: 'max',
    least: 10,
    delay: true,
    top: { heading: 'DELAY-P99', key: 'd', marked: 100 },
  },
  ...ofSpace,
} as const satisfies Readonly<Record<string, Figure>>;

export type FigureName = keyof typeof figures;
/** Those that samples hold. */
export type SeriesName = keyof typeof ofTime | keyof typeof ofSpace;
export type RuleFigure = (typeof figures)[FigureName]['rule'];

const names = Object.keys(figures) as FigureName[];
export const seriesNames = Object.keys({ ...ofTime, ...ofSpace }) as SeriesName[];

/** By the name that rules have for it. */
export const figuresByRule = Object.fromEntries(names.map((name) => [figures[name].rule, name])) as Readonly<
  Record<RuleFigure, FigureName>
>;

export function figureOf(name: FigureName): Figure {
  return figures[name];
}

/** From where on `top` marks a figure and `why` finds it. */
export function markOf(name: FigureName): number {
  const { top } = figureOf(name);
  if (top?.marked === undefined) throw new Error(`${name} has no mark`);
  return top.marked;
}
