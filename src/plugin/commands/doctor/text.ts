/** The report for people: `status  what  (detail)`, and what mends it indented below. */
import { styleText } from 'node:util';
import type { Check, Remedy, Status } from './check.ts';

const colours = { ok: 'green', warn: 'yellow', fail: 'red', skip: 'gray' } as const satisfies Record<Status, string>;
const statusWidth = 6;
const remedyIndent = ' '.repeat(statusWidth + 2);
const widest = 100;
const narrowest = 40;

export interface TextOptions {
  /** Columns of the terminal. @default 100 */
  readonly columns?: number | undefined;
  readonly colour: boolean;
}

export function headingLine(title: string, { colour }: TextOptions): string {
  return colour ? styleText('bold', title, { validateStream: false }) : title;
}

export function checkLines({ status, what, detail, remedy }: Check, options: TextOptions): string[] {
  const width = Math.max(narrowest, Math.min(options.columns || widest, widest));
  const text = detail === null || detail === '' ? what : `${what}  (${detail})`;
  const [first = '', ...rest] = wrap(text, width - statusWidth);
  const mark = options.colour ? styleText(colours[status], status, { validateStream: false }) : status;
  return [
    mark + ' '.repeat(statusWidth - status.length) + first,
    ...rest.map((line) => ' '.repeat(statusWidth) + line),
    ...(remedy ? remedyLines(remedy, width - remedyIndent.length).map((line) => remedyIndent + line) : []),
  ];
}

/** Commands and YAML stay as they are: they are there to be pasted. */
function remedyLines({ say, run = [], yaml }: Remedy, width: number): string[] {
  const block = [...run, ...(yaml?.trimEnd().split('\n') ?? [])];
  return [...(say ? wrap(say, width) : []), ...block.map((line) => (say ? `  ${line}` : line))];
}

export function summaryLine(checks: readonly Check[]): string {
  const count = (wanted: Status) => checks.filter(({ status }) => status === wanted).length;
  const parts = [
    [count('ok'), 'ok'],
    [count('warn'), count('warn') === 1 ? 'warning' : 'warnings'],
    [count('fail'), 'failed'],
    [count('skip'), 'skipped'],
  ] as const;
  return parts
    .filter(([number, name]) => number > 0 || name === 'failed')
    .map(([number, name]) => `${number} ${name}`)
    .join(', ');
}

export interface Ticket {
  readonly at: string;
  readonly plugin: { readonly version: string | null; readonly node: string; readonly platform: string };
  readonly checks: readonly Check[];
}

/** The report as Markdown, to be pasted into an issue: versions, and the checks as they are, behind a fence that nothing in them closes. */
export function ticketText({ at, plugin, checks }: Ticket): string {
  const options: TextOptions = { colour: false };
  const lines = checks.flatMap((check, index) => [
    ...(checks[index - 1]?.subject === check.subject && index > 0
      ? []
      : [headingLine(check.subject ?? 'cluster', options)]),
    ...checkLines(check, options),
  ]);
  const ticks = Math.max(2, ...lines.map((line) => /`{3,}/.exec(line)?.[0].length ?? 0));
  const fence = '`'.repeat(ticks + 1);
  const head = `nodeops ${plugin.version ?? '(version unknown)'}, Node.js ${plugin.node}, ${plugin.platform}, ${at}`;
  return ['### nodeops doctor', '', head, '', `${fence}text`, ...lines, fence, '', summaryLine(checks), ''].join('\n');
}

/** Breaks at blanks; a word longer than the line stays whole. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const paragraph of text.split('\n')) {
    let line = '';
    for (const word of paragraph.match(/\s*\S+/g) ?? []) {
      if (line !== '' && line.length + word.length > width) {
        lines.push(line);
        line = word.trimStart();
      } else line += word;
    }
    lines.push(line);
  }
  return lines;
}
