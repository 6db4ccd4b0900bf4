/** A page with charts: one file, no scripts, nothing fetched. */
import type { HistoryReply, StallInfo } from '../../../protocol/history.ts';
import { frameText } from '../../../protocol/text/frame.ts';
import { bytesShort, counted, duration } from '../../../protocol/text/quantities.ts';
import { chartSvg, escapeHtml, type Line } from './chart.ts';

export interface Recorded {
  readonly name: string;
  /** ISO 8601, when it was asked. */
  readonly at: string;
  readonly history: HistoryReply;
}

interface Panel {
  readonly title: string;
  readonly lines: readonly (Omit<Line, 'values'> & {
    readonly figure: keyof HistoryReply['series'];
    readonly part: 'mean' | 'max';
  })[];
  readonly text: (value: number) => string;
  readonly least: number;
  readonly limit?: (history: HistoryReply) => number | null;
}

const whole = (value: number) => `${value.toFixed(0)}%`;
const share = (value: number) => `${(value * 100).toFixed(0)}%`;
const panels: readonly Panel[] = [
  {
    title: 'CPU (100% is one core)',
    lines: [
      { name: 'highest', figure: 'cpuPercent', part: 'max', colour: 'three' },
      { name: 'mean', figure: 'cpuPercent', part: 'mean', colour: 'one' },
    ],
    text: whole,
    least: 100,
  },
  {
    title: 'Event loop',
    lines: [
      { name: 'utilization', figure: 'utilization', part: 'mean', colour: 'one' },
      { name: 'garbage collection', figure: 'gcShare', part: 'mean', colour: 'two' },
      { name: 'CPU throttled', figure: 'throttled', part: 'mean', colour: 'three' },
    ],
    text: share,
    least: 1,
  },
  {
    title: 'Longest delay of the event loop',
    lines: [{ name: 'delay', figure: 'delayMaxMs', part: 'max', colour: 'two' }],
    text: (value) => (value === 0 ? '0' : duration(value)),
    least: 10,
  },
  {
    title: 'V8 heap',
    lines: [
      { name: 'total', figure: 'heapTotalBytes', part: 'mean', colour: 'three' },
      { name: 'used', figure: 'heapUsedBytes', part: 'mean', colour: 'one' },
      { name: 'external', figure: 'externalBytes', part: 'mean', colour: 'two' },
    ],
    text: bytesShort,
    least: 1,
    limit: ({ heapLimitBytes }) => heapLimitBytes,
  },
  {
    title: 'Memory',
    lines: [
      { name: 'container', figure: 'cgroupUsedBytes', part: 'mean', colour: 'two' },
      { name: 'resident', figure: 'rssBytes', part: 'mean', colour: 'one' },
    ],
    text: bytesShort,
    least: 1,
    limit: ({ memoryLimitBytes }) => memoryLimitBytes,
  },
];

export function historyPage(recorded: readonly Recorded[]): string {
  const title = recorded.map(({ name }) => name).join(', ');
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} - nodeops history</title>
<style>${style}</style>
${recorded.map(section).join('\n')}
</html>
`;
}

function section({ name, at, history }: Recorded): string {
  const { times, stalls, stallMs, stallCount, gc, since } = history;
  const from = times[0] ?? Date.parse(at);
  const to = times.at(-1) ?? from;
  const facts = [
    `${utc(from)} to ${utc(to)} UTC`,
    `recording since ${utc(Date.parse(since))}`,
    ...(gc
      ? [`${gc.major} major and ${gc.minor} minor garbage collections, ${duration(gc.totalPauseMs)} of pauses`]
      : []),
    `${counted(stallCount, 'stall')} over ${duration(stallMs)}`,
  ];
  const bands = stalls.map((stall) => {
    const begin = Date.parse(stall.at);
    return { from: begin, to: begin + stall.durationMs, title: `stall of ${duration(stall.durationMs)}` };
  });
  const charts = panels.flatMap((panel) => {
    const lines = panel.lines
      .map(({ name, figure, part, colour }) => ({ name, colour, values: history.series[figure][part] }))
      .filter(({ values }) => values.some((value) => value !== null));
    if (lines.length === 0) return [];
    const limit = panel.limit?.(history) ?? null;
    const { title, text, least } = panel;
    const legend = lines.map((line) => {
      const last = line.values.findLast((value) => value !== null) ?? null;
      return `<span class="${line.colour}">${line.name}${last === null ? '' : ` ${escapeHtml(text(last))}`}</span>`;
    });
    const { svg, limitShown } = chartSvg({ title, times, from, to, lines, least, limit, text, bands });
    if (limit !== null) {
      const bound = `limit ${text(limit)}`;
      legend.push(
        limitShown
          ? `<span class="limit">${escapeHtml(bound)}</span>`
          : `<span>(${escapeHtml(bound)}, far above)</span>`,
      );
    }
    return [
      `<figure><figcaption>${escapeHtml(title)} ${legend.join(' ')}</figcaption><div class="chart">${svg}</div></figure>`,
    ];
  });
  return `<main>
<h1>${escapeHtml(name)}</h1>
<p>${facts.map(escapeHtml).join(' · ')}</p>
<p>The figure beside a name is the last one.${bands.length === 0 ? '' : ` <span class="mark"></span> A red bar is a stall: one turn of the event loop that took longer than ${escapeHtml(duration(stallMs))}.`}</p>
${times.length === 0 ? '<p>Nothing has been recorded yet.</p>' : charts.join('\n')}
<h2>Stalls of the event loop</h2>
${stalls.length === 0 ? `<p>No turn of the event loop took longer than ${escapeHtml(duration(stallMs))}.</p>` : stalls.toReversed().map(stallHtml).join('\n')}
</main>`;
}

function stallHtml({ at, durationMs, ongoing, frames, evidence }: StallInfo): string {
  const head = `${utc(Date.parse(at))} UTC, ${duration(durationMs)}${ongoing ? ' and going on' : ''}`;
  const where = frames?.[0] ? ` in ${frames[0].function}` : '';
  const lines = [evidence, ...(frames ?? []).map((frame) => `at ${frameText(frame)}`)].filter((line) => line !== null);
  const stack = lines.join('\n') || 'no stack was taken';
  return `<details><summary>${escapeHtml(head + where)}</summary><pre>${escapeHtml(stack)}</pre></details>`;
}

function utc(at: number): string {
  return new Date(at).toISOString().slice(0, 19).replace('T', ' ');
}

const style = `
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --faint: #626b76; --grid: #e3e7ec; --one: #1769c5; --two: #b54f08; --three: #4f7a0b; --bad: #d1242f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ed; --paper: #15181c; --faint: #87919c; --grid: #2b3138; --one: #6cb1ff; --two: #ff9d57; --three: #a9d15a; --bad: #ff6b72; } }
body { margin: 0 auto; max-width: 1000px; padding: 1.5rem; font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
h1 { font-size: 1.3rem; margin: 0; overflow-wrap: anywhere; } h2 { font-size: 1.05rem; } p { color: var(--faint); margin: .2rem 0 1rem; }
figure { margin: 0 0 1.2rem; } figcaption { font-weight: 600; } figcaption span { display: inline-block; font-weight: 400; font-size: .85em; margin-left: .8em; }
.chart { overflow-x: auto; } svg { display: block; width: 100%; min-width: 760px; height: auto; } svg text { fill: var(--faint); font-size: 12px; }
path { fill: none; stroke-width: 1.6; stroke-linejoin: round; }
path.one { stroke: var(--one); } path.two { stroke: var(--two); } path.three { stroke: var(--three); }
span.one { color: var(--one); } span.two { color: var(--two); } span.three { color: var(--three); } span.limit { color: var(--bad); }
.grid { stroke: var(--grid); } line.limit { stroke: var(--bad); stroke-dasharray: 5 4; } .stall { fill: var(--bad); opacity: .25; } .mark { display: inline-block; width: .3em; height: 1em; vertical-align: -.15em; background: var(--bad); opacity: .5; }
details { border-top: 1px solid var(--grid); padding: .3rem 0; } summary { cursor: pointer; } pre { overflow-x: auto; margin: .4rem 0; font-size: 13px; }
`;
