/** What `postmortem` prints: the cluster's view, then what the processes left. */
import type { CrashRecord } from '../../../protocol/crash.ts';
import { duration } from '../../../protocol/text/quantities.ts';
import { printable } from '../../render/printable.ts';
import { sparkline } from '../history/sparkline.ts';
import type { ContainerEnd, PodEvent } from './pod.ts';

export interface Found {
  readonly record: CrashRecord;
  /** Where it was saved. */
  readonly path: string;
}

const stackLines = 6;
const sparkWidth = 40;
const causeLength = 300;

export function containerLines({ container, restarts, now, last, verdict }: ContainerEnd): string[] {
  const times = restarts === 1 ? 'once' : `${restarts} times`;
  const head = `container ${container}: ${now}${restarts > 0 ? `, restarted ${times}` : ''}`;
  if (!last) return [head, '  it has not ended so far'];
  const ran = Date.parse(last.finishedAt ?? '') - Date.parse(last.startedAt ?? '');
  const facts = [
    ...(last.reason ? [last.reason] : []),
    `exit code ${last.exitCode}`,
    ...(last.finishedAt ? [`at ${last.finishedAt}`] : []),
    ...(ran >= 0 ? [`after ${duration(ran)}`] : []),
  ];
  return [head, `  last end: ${facts.join(', ')}`, `  verdict: ${verdict}`];
}

export function eventLines(events: readonly PodEvent[]): string[] {
  if (events.length === 0) return [];
  return [
    'events:',
    ...events.map(
      ({ at, type, reason, message, count }) =>
        `  ${at ?? '-'}  ${type} ${reason}${count > 1 ? ` (${count} times)` : ''}: ${printable(message)}`,
    ),
  ];
}

export function recordLines({ record, path }: Found): string[] {
  const { at, kind, error, process, history, heapProfile, handled } = record;
  const who = process.container === null ? String(process.pid) : `${process.container}/${process.pid}`;
  const lines = [
    `${printable(at)}  ${printable(kind)}  ${printable(who)}${handled ? '  (the app has a handler for it)' : ''}`,
  ];
  lines.push(`  ${printable(record.summary)}`);
  for (const line of (error?.stack ?? '').split('\n').slice(1, stackLines)) lines.push(`    ${printable(line.trim())}`);
  for (const { name, message, stack } of error?.causes ?? []) {
    lines.push(`  caused by ${printable(`${name}: ${message.split('\n')[0]}`).slice(0, causeLength)}`);
    const frame = stack.split('\n').find((line) => /^\s+at /.test(line));
    if (frame) lines.push(`    ${printable(frame.trim())}`);
  }
  const running = record.stacks?.find(({ thread }) => thread === 'main')?.frames[0];
  if (running) lines.push(`  it ran ${printable(`${running.function} (${running.file}:${running.line})`)}`);
  if (history && history.times.length > 1) {
    const span = { from: history.times[0]!, to: history.times.at(-1)! };
    for (const [title, figure] of [
      ['heap used', 'heapUsedBytes'],
      ['RSS', 'rssBytes'],
      ['event loop', 'utilization'],
    ] as const) {
      const { mean } = history.series[figure];
      const top = figure === 'utilization' ? 1 : Math.max(1, ...mean.map((value) => value ?? 0));
      const line = sparkline(history.times, mean, span, { width: sparkWidth, top });
      lines.push(`  ${title.padEnd(10)} ${line.trimEnd()}`);
    }
    const longest = Math.max(0, ...history.stalls.map(({ durationMs }) => durationMs));
    if (longest > 0)
      lines.push(`  ${history.stalls.length} stalls of the event loop, the longest ${duration(longest)}`);
  }
  if (heapProfile) lines.push(`  sampling heap profile: ${printable(heapProfile)}`);
  if (record.report) lines.push(`  report of Node.js: ${printable(record.report)}`);
  lines.push(`  saved: ${path}`);
  return lines;
}
