/** Workflow commands that GitHub Actions turns into annotations. */
import { type SmokeReport, summaryText } from '../report.ts';

/** GitHub shows ten errors and ten warnings of a step. */
const limitEach = 9;

/** Lines for stderr, which the runner reads as it does stdout. */
export function annotations(report: SmokeReport): string[] {
  const bad = report.subjects.flatMap(({ name, results }) => results.map((result) => ({ name, ...result })));
  const failed = bad.filter(({ status }) => status === 'fail');
  const unknown = bad.filter(({ status }) => status === 'unknown');
  const lines = [
    ...failed.slice(0, limitEach).map((one) => annotation('error', one)),
    ...unknown.slice(0, limitEach).map((one) => annotation('warning', one)),
  ];
  const more = Math.max(0, failed.length - limitEach) + Math.max(0, unknown.length - limitEach);
  if (report.problem) lines.push(`::error title=${property('nodeops smoke')}::${data(summaryText(report))}`);
  else if (more > 0)
    lines.push(`::error title=${property('nodeops smoke')}::${data(`and ${more} more: ${summaryText(report)}`)}`);
  return lines;
}

function annotation(level: 'error' | 'warning', one: { name: string; check: string; message: string }): string {
  return `::${level} title=${property(`${one.check}: ${one.name}`)}::${data(one.message)}`;
}

/** As the runner takes it apart (actions/toolkit, command.ts). */
function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}
function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
