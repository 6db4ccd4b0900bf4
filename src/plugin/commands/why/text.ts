/** What `why` says on a terminal. */
import { counted, duration } from '../../../protocol/text/quantities.ts';
import { isBlind } from '../../../why/diagnose.ts';
import { placeOf } from '../../../why/evidence/frames.ts';
import type { Finding } from '../../../why/finding.ts';
import { rules } from '../../../why/findings/index.ts';
import { groupOf } from '../../../why/group.ts';
import { typedName } from '../../render/target-name.ts';
import type { Answered } from './document.ts';

export interface Paint {
  readonly colors: boolean;
  readonly columns: number;
  readonly now: Date;
}

/** Callers shown below a place. */
const callersShown = 4;
const namesShown = 5;

export function whyText(answered: Answered, type: (next: string) => string, paint: Paint): string[] {
  const { findings, passed, skipped } = answered.diagnosis;
  const real = findings.filter(({ level }) => level === 'finding');
  const notes = findings.filter(({ level }) => level === 'note');
  const lines: string[] = [];
  if (real.length === 0) lines.push(...wrapped(healthyText(answered), '', paint));
  for (const [index, finding] of real.entries()) {
    if (index > 0) lines.push('');
    lines.push(...findingLines(finding, index, type, paint));
  }
  if (notes.length > 0) lines.push('');
  for (const { sentence } of notes) lines.push(...wrapped(`note: ${sentence}`, '  ', paint));
  if (real.length > 0)
    lines.push(
      '',
      ...wrapped(
        `looked for ${duration(answered.case.lookMs)}; ${counted(passed.length, 'check')} passed`,
        '  ',
        paint,
      ),
    );
  if (skipped.length > 0) lines.push(...skippedLines(skipped, paint));
  return lines;
}

export function healthyText({ diagnosis: { findings, skipped }, case: seen }: Answered): string {
  const said = new Set([...findings, ...skipped].map(({ id }) => id));
  const passed = rules.flatMap(({ id }) => (said.has(id) ? [] : [id]));
  if (isBlind(seen))
    return `too little could be seen of process ${seen.subject.pid} in ${duration(seen.lookMs)} to say anything: it hardly answered`;
  return `nothing wrong was seen in ${duration(seen.lookMs)} of process ${seen.subject.pid} (Node.js ${seen.subject.nodeVersion}); checked: ${passed.join(', ')}`;
}

function findingLines(finding: Finding, index: number, type: (next: string) => string, paint: Paint): string[] {
  const bold = (text: string) => (paint.colors && index === 0 ? `\u001b[1m${text}\u001b[22m` : text);
  const rows: [string, string][] = [];
  const callers = finding.frames.slice(1).filter(({ file }) => file !== '' && !file.startsWith('node:'));
  if (callers.length > 0) rows.push(['called by', callers.slice(0, callersShown).map(placeOf).join(' ← ')]);
  rows.push(['sure', [finding.certainty, ...finding.against.map((text) => `but ${text}`)].join('; ')]);
  if (finding.since) rows.push(['since', sinceText(finding.since, paint.now)]);
  rows.push(['next', type(finding.next)], ['mend', finding.remedy]);
  const width = Math.max(...rows.map(([title]) => title.length));
  return [
    ...wrapped(`${index + 1}. ${capital(finding.sentence)}`, '   ', paint).map((line) => bold(line)),
    ...rows.flatMap(([title, text]) => wrapped(`   ${title.padEnd(width)}  ${text}`, ' '.repeat(width + 5), paint)),
  ];
}

/** `20:12:03 (2m10s ago)`, the clock of whoever reads it. */
export function sinceText(since: string, now: Date): string {
  const at = new Date(since);
  const two = (value: number) => String(value).padStart(2, '0');
  const ago = Math.max(0, now.getTime() - at.getTime());
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())} at the latest (${duration(ago)} ago)`;
}

function skippedLines(skipped: Answered['diagnosis']['skipped'], paint: Paint): string[] {
  const reasons = new Map<string, string[]>();
  for (const { id, reason } of skipped) reasons.set(reason, [...(reasons.get(reason) ?? []), id]);
  return [...reasons].flatMap(([reason, ids]) => wrapped(`not looked for: ${ids.join(', ')} (${reason})`, '  ', paint));
}

/** `7 of 8 pods: …; api-3 differs: …` */
export function groupsText(
  all: readonly Answered[],
  type: (each: Answered) => (next: string) => string,
  paint: Paint,
): string[] {
  const groups = groupOf(all.map((answered) => ({ name: answered, diagnosis: answered.diagnosis })));
  return groups.flatMap(({ finding, members }, index) => {
    const [first] = members;
    const names = namesOf(members.map(({ name }) => name));
    const many =
      members.length > 1 ? `${members.length} of ${all.length} (${names})` : `${names}${index > 0 ? ' differs' : ''}`;
    const gap = index > 0 ? [''] : [];
    if (!finding)
      return [
        ...gap,
        ...wrapped(
          `${many}: ${members.some(({ name }) => isBlind(name.case)) ? 'too little could be seen to say anything' : 'nothing wrong was seen'}`,
          '  ',
          paint,
        ),
      ];
    const worst = members.find(({ diagnosis }) => diagnosis.findings[0] === finding) ?? first!;
    return [
      ...gap,
      ...wrapped(`${many}: ${finding.sentence}`, '  ', paint),
      ...wrapped(`  next  ${type(worst.name)(finding.next)}`, '        ', paint),
      ...wrapped(`  mend  ${finding.remedy}`, '        ', paint),
    ];
  });
}

function namesOf(all: readonly Answered[]): string {
  const names = all.map(
    ({ target }) =>
      `${typedName(target)}${target.pod !== null && target.container ? ` ${target.container}/${target.pid}` : ''}`,
  );
  const more = names.length > namesShown ? `, and ${names.length - namesShown} more` : '';
  return `${names.slice(0, namesShown).join(', ')}${more}`;
}

function capital(text: string): string {
  return /^[a-z]\w* /.test(text) ? text[0]!.toUpperCase() + text.slice(1) : text;
}

/** Broken at blanks; what has none stays whole, so that it can be copied. */
function wrapped(text: string, indent: string, { columns }: Paint): string[] {
  const width = Math.max(40, Math.min(columns, 120));
  const lines: string[] = [];
  let line = /^ */.exec(text)![0];
  for (const word of text.trimStart().split(' ')) {
    const next = line.trim() === '' ? `${line}${word}` : `${line} ${word}`;
    if (next.length > width && line.trim() !== '') {
      lines.push(line);
      line = `${indent}${word}`;
    } else line = next;
  }
  return [...lines, line];
}
