/** `why -o md`: for a ticket. */
import { duration } from '../../../protocol/text/quantities.ts';
import { placeOf } from '../../../why/evidence/frames.ts';
import { typedName } from '../../render/target-name.ts';
import type { Answered } from './document.ts';
import { healthyText, sinceText } from './text.ts';

export function markdown(answered: Answered, type: (next: string) => string, now: Date): string[] {
  const { target, case: seen, diagnosis } = answered;
  const process = `${seen.subject.container === null ? '' : `${seen.subject.container}/`}${seen.subject.pid}`;
  const lines = [
    `## ${escaped(typedName(target))} ${escaped(process)}`,
    '',
    `Node.js ${escaped(seen.subject.nodeVersion)}, looked at ${seen.at} for ${duration(seen.lookMs)}.`,
    '',
  ];
  if (diagnosis.findings.every(({ level }) => level === 'note')) lines.push(escaped(healthyText(answered)), '');
  for (const finding of diagnosis.findings) {
    lines.push(`### ${finding.level === 'note' ? 'Note: ' : ''}${escaped(finding.sentence)}`, '');
    for (const frame of finding.frames.slice(0, 6)) lines.push(`- ${code(placeOf(frame))}`);
    if (finding.frames.length > 0) lines.push('');
    const since = finding.since ? `; since ${sinceText(finding.since, now)}` : '';
    lines.push(
      `${capital(finding.certainty)}${finding.against.map((text) => `, but ${escaped(text)}`).join('')}${since}.`,
      '',
    );
    if (finding.level === 'finding')
      lines.push(`Next: ${code(type(finding.next))}`, '', `${escaped(finding.remedy)}`, '');
  }
  if (diagnosis.skipped.length > 0)
    lines.push(`Not looked for: ${diagnosis.skipped.map(({ id }) => id).join(', ')}.`, '');
  return lines;
}

function code(text: string): string {
  const fence = text.includes('`') ? '``' : '`';
  return `${fence}${text.replaceAll(/[\r\n]+/g, ' ')}${fence}`;
}

/** What a pod says is no markup. */
function escaped(text: string): string {
  return text.replaceAll(/[\r\n]+/g, ' ').replaceAll(/[\\`*_[\]<>|#]/g, (character) => `\\${character}`);
}

function capital(text: string): string {
  return text[0]!.toUpperCase() + text.slice(1);
}
