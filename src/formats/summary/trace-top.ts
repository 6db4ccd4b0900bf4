/** What a trace shows most of: its events by name, with the time they took. */
import { NodeopsError } from '../../protocol/errors.ts';
import { gunzipped } from '../gunzip.ts';
import { formatValue, percentage } from '../units.ts';
import { parseJson } from '../v8-json.ts';
import { text } from './report.ts';

const limitBytes = 512 * 1024 * 1024;
const rowsShown = 20;

interface Row {
  name: string;
  count: number;
  totalMicros: number;
  maxMicros: number;
}

/** A plain list of events may end without its bracket, as that of a program that was killed does: Chrome's format says so. */
const closed = (json: string) =>
  json.trimStart().startsWith('[') && !json.trimEnd().endsWith(']') ? `${json.trimEnd().replace(/,$/, '')}]` : json;

/** Throws NodeopsError `failed` for what is no trace, `too-large` past 512 MiB. */
export function traceTop(bytes: Uint8Array, widthColumns = 0): string {
  const plain = closed(new TextDecoder().decode(gunzipped('trace', bytes, limitBytes)));
  const document = parseJson('trace', plain, limitBytes) as { traceEvents?: unknown } | unknown[] | null;
  const events = Array.isArray(document) ? document : document?.traceEvents;
  if (!Array.isArray(events)) throw new NodeopsError('failed', 'the trace is damaged: it has no list of events');
  const rows = new Map<string, Row>();
  const open = new Map<string, { name: string; ts: number }[]>();
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const event of events as (Record<string, unknown> | null)[]) {
    if (typeof event !== 'object' || event === null || event.ph === 'M') continue;
    const name = String(event.name ?? '(no name)');
    const ts = Number(event.ts);
    const dur = event.ph === 'X' ? Number(event.dur ?? event.tdur) || 0 : 0;
    if (Number.isFinite(ts)) {
      first = Math.min(first, ts);
      last = Math.max(last, ts + dur);
    }
    const stack = open.get(`${event.pid}/${event.tid}`) ?? [];
    open.set(`${event.pid}/${event.tid}`, stack);
    if (event.ph === 'B') stack.push({ name, ts });
    else if (event.ph === 'E') {
      const begun = stack.pop();
      if (begun) count(rows, begun.name, Math.max(0, ts - begun.ts) || 0);
    } else count(rows, name, dur);
  }
  const sorted = [...rows.values()].sort((a, b) => b.totalMicros - a.totalMicros || b.count - a.count);
  const span = last > first ? last - first : 0;
  const time = (micros: number) => formatValue(micros, 'microseconds', 'auto').padStart(10);
  return text(
    [
      `Type: trace`,
      `Duration: ${formatValue(span, 'microseconds', 'auto')}, ${events.length} events of ${sorted.length} names`,
      '     total  total%        max    events',
      ...sorted
        .slice(0, rowsShown)
        .map(
          ({ name, count, totalMicros, maxMicros }) =>
            `${time(totalMicros)} ${percentage(totalMicros, span)} ${time(maxMicros)} ${String(count).padStart(9)}  ${name}`,
        ),
      ...(sorted.length > rowsShown ? [`Not shown: ${sorted.length - rowsShown} more names`] : []),
    ],
    widthColumns,
  );
}

function count(rows: Map<string, Row>, name: string, micros: number): void {
  const row = rows.get(name) ?? { name, count: 0, totalMicros: 0, maxMicros: 0 };
  rows.set(name, row);
  row.count++;
  row.totalMicros += micros;
  row.maxMicros = Math.max(row.maxMicros, micros);
}
