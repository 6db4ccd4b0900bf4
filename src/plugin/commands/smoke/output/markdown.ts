/** A summary in GitHub's Markdown, for a job's page. */
import type { Status } from '../judge.ts';
import { type SmokeReport, summaryText } from '../report.ts';

const marks: Readonly<Record<Status, string>> = { pass: '✅', fail: '❌', unknown: '❔', skip: '➖' };
/** Rows of the table; GitHub takes 1 MiB of summary for a step. */
const limitRows = 500;

export function markdownText(report: SmokeReport): string {
  const { verdict, subjects, problem, notes } = report;
  const rows = subjects.flatMap(({ name, results }) => results.map((result) => ({ name, ...result })));
  const order: readonly Status[] = ['fail', 'unknown', 'pass', 'skip'];
  const shown = rows.sort((a, b) => order.indexOf(a.status) - order.indexOf(b.status)).slice(0, limitRows);
  const lines = [
    `### ${marks[verdict]} nodeops smoke: ${plain(summaryText(report))}`,
    '',
    ...(problem?.hint ? [plain(problem.hint), ''] : []),
  ];
  if (shown.length > 0)
    lines.push(
      '| | Check | Value | Limit | Process | |',
      '| --- | --- | --- | --- | --- | --- |',
      ...shown.map(({ status, check, value, limit, name, message }) =>
        row([marks[status], check, value ?? '', limit, name, status === 'pass' ? '' : message]),
      ),
      '',
    );
  if (rows.length > shown.length) lines.push(`${rows.length - shown.length} more are left out.`, '');
  const kept = subjects.flatMap(({ name, evidence }) =>
    [...evidence.files, ...evidence.problems].map((text) => `- ${plain(name)}: ${plain(text)}`),
  );
  if (kept.length > 0) lines.push('Evidence:', '', ...kept, '');
  return [...lines, ...notes.map((note) => `> ${plain(note)}`), ''].join('\n');
}

function row(cells: readonly string[]): string {
  return `| ${cells.map(plain).join(' | ')} |`;
}

/** Text in which nothing is markup, and no cell ends early. */
export function plain(text: string): string {
  return text
    .replaceAll(/[\r\n]+/g, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll(/[\\`*_[\]{}()#!|~@$]/g, (character) => `&#${character.charCodeAt(0)};`)
    .replaceAll('://', '&#58;//');
}
