/** The report for people: what failed line by line, what passed one line a check. */
import { tableLines } from '../../../render/columns.ts';
import type { Result, Status } from '../judge.ts';
import { type SmokeReport, type Subject, summaryText } from '../report.ts';

const words: Readonly<Record<Status, string>> = { pass: 'pass', fail: 'FAIL', unknown: '????', skip: 'skip' };
const order: readonly Status[] = ['fail', 'unknown', 'skip', 'pass'];

interface Row {
  readonly status: Status;
  readonly name: string;
  readonly result: Result;
}

/** `wide` has a line for each check of each process. */
export async function tableText(report: SmokeReport, wide: boolean): Promise<string> {
  const all = report.subjects.flatMap((subject) =>
    subject.results.map((result) => ({ status: result.status, name: subject.name, result })),
  );
  const bad = all.filter(({ status }) => status === 'fail' || status === 'unknown');
  const rows = wide ? all : [...bad, ...summed(all.filter((row) => !bad.includes(row)))];
  const columns = [
    { title: 'STATUS', text: ({ status }: Row) => words[status] },
    { title: 'CHECK', text: ({ result }: Row) => result.check },
    { title: 'VALUE', text: ({ result }: Row) => result.value },
    { title: 'LIMIT', text: ({ result }: Row) => result.limit || null },
    { title: 'PROCESS', text: ({ name }: Row) => name },
  ];
  const lines = rows.length === 0 ? [] : await tableLines(columns, sorted(rows));
  const why = bad.filter(({ result }) => result.value === null || result.status === 'unknown');
  return [
    ...lines,
    ...section(why.map(({ name, result }) => `${name}: ${result.check}: ${result.message}`)),
    ...section(report.subjects.flatMap(evidenceLines)),
    ...section([summaryText(report)]),
  ]
    .join('\n')
    .replace(/^\n/, '')
    .concat('\n');
}

/** Of processes that all pass, the one nearest to its limit stands for them. */
function summed(rows: readonly Row[]): Row[] {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = `${row.status} ${row.result.check} ${row.result.limit}`;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()].map((group) => {
    const worst = group.reduce((a, b) => ((b.result.figure ?? 0) > (a.result.figure ?? 0) ? b : a));
    return group.length === 1 ? worst : { ...worst, name: `${group.length} processes, highest: ${worst.name}` };
  });
}

function sorted(rows: readonly Row[]): Row[] {
  return [...rows].sort((a, b) => order.indexOf(a.status) - order.indexOf(b.status));
}

function section(lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', ...lines];
}

function evidenceLines({ name, evidence }: Subject): string[] {
  return [
    ...evidence.files.map((file) => `evidence of ${name}: ${file}`),
    ...evidence.problems.map((problem) => `evidence of ${name}: ${problem}`),
  ];
}
