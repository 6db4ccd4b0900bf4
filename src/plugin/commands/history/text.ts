/** `history` on a terminal. */
import type { HistoryReply, StallInfo } from '../../../protocol/history.ts';
import { frameText } from '../../../protocol/text/frame.ts';
import { counted, duration } from '../../../protocol/text/quantities.ts';
import { type Drawn, known, limitOf } from './figures.ts';
import { sparkline } from './sparkline.ts';

export interface TextOptions {
  /** Columns of the terminal. */
  readonly columns: number;
  readonly ascii: boolean;
  /** Milliseconds since 1970 that the drawing begins with. */
  readonly from: number;
}

const stallsShown = 10;
const framesShown = 5;
const titleWidth = 11;
const wordsWidth = 34;

export function historyText(history: HistoryReply, { columns, ascii, from }: TextOptions): string[] {
  const last = history.times.at(-1);
  if (last === undefined) return ['nothing has been recorded yet: ask again in a second'];
  const begin = Math.max(from, Date.parse(history.since));
  const span = { from: Math.min(begin, history.times[0]! - 1), to: last };
  const width = Math.max(10, Math.min(120, columns - titleWidth - wordsWidth));
  const head = `${clock(span.from)} to ${clock(span.to)} (${duration(span.to - span.from)})`;
  return [
    head,
    ...known(history).map((figure) => line(history, figure, span, { width, ascii })),
    ...gcLines(history),
    ...stallLines(history),
  ];
}

function line(
  history: HistoryReply,
  drawn: Drawn,
  span: { from: number; to: number },
  { width, ascii }: { width: number; ascii: boolean },
): string {
  const { title, figure, part, text, least } = drawn;
  const values = history.series[figure][part];
  const there = values.filter((value) => value !== null);
  const max = Math.max(...history.series[figure].max.filter((value) => value !== null));
  const shape = sparkline(history.times, values, span, { width, ascii, top: Math.max(least, ...there) });
  const bound = limitOf(drawn, history);
  const words = [`${text(there.at(-1)!)} now`, `max ${text(max)}`, ...(bound === null ? [] : [`of ${text(bound)}`])];
  return `${title.padEnd(titleWidth)}${shape}  ${words.join(', ')}`.trimEnd();
}

function gcLines({ gc, since }: HistoryReply): string[] {
  if (!gc) return [];
  const ran = `${gc.major} major and ${gc.minor} minor garbage collections since ${clock(Date.parse(since))}`;
  return [`${ran}: ${duration(gc.totalPauseMs)} of pauses, the longest ${duration(gc.maxPauseMs)}`];
}

function stallLines({ stalls, stallCount, stallMs }: HistoryReply): string[] {
  if (stalls.length === 0) return [`no turn of the event loop took longer than ${duration(stallMs)}`];
  const shown = [...stalls].sort((one, other) => other.durationMs - one.durationMs).slice(0, stallsShown);
  const more = stalls.length > shown.length ? `, the longest ${shown.length} of ${stalls.length}` : '';
  const all = stallCount > stalls.length ? ` (${stallCount} since recording began)` : '';
  return [`stalls of the event loop over ${duration(stallMs)}${more}${all}:`, ...shown.flatMap(stallText)];
}

function stallText({ at, durationMs, ongoing, frames, evidence }: StallInfo): string[] {
  const head = `  ${clock(Date.parse(at))}  ${duration(durationMs)}${ongoing ? ' and going on' : ''}`;
  if (frames)
    return [
      head,
      ...(evidence ? [`      ${evidence}`] : []),
      ...frames.slice(0, framesShown).map((frame) => `      at ${frameText(frame)}`),
      ...(frames.length > framesShown ? [`      and ${counted(frames.length - framesShown, 'more frame')}`] : []),
    ];
  return evidence ? [head, `      ${evidence}`] : [`${head}  (no stack was taken)`];
}

/** Local time of day, with the day where it is another. */
export function clock(at: number, now = Date.now()): string {
  const date = new Date(at);
  const two = (value: number) => String(value).padStart(2, '0');
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  const sameDay = date.toDateString() === new Date(now).toDateString();
  return sameDay ? time : `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${time}`;
}
