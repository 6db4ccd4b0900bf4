/** What `why` says of a process, as a part of its bundle; its case can be judged again. */

import type { Secrets } from '../../../secrets/secrets.ts';
import type { Case, PodFacts } from '../../../why/case.ts';
import { diagnose } from '../../../why/diagnose.ts';
import type { Io } from '../../io.ts';
import { targetName } from '../../render/target-name.ts';
import { lookAt } from '../../sampling/look.ts';
import type { Target } from '../../target.ts';
import { answerObject } from '../why/document.ts';
import { whyText } from '../why/text.ts';
import { typing } from '../why/typing.ts';
import type { Subject } from './contents.ts';

export interface WhyOptions {
  readonly forMs: number;
  readonly port: number;
  readonly timeoutMs: number | undefined;
  readonly facts: (target: Target) => PodFacts | null;
}

const columns = 100;

export async function addWhy(
  target: Target,
  subject: Subject,
  secrets: Secrets,
  { facts, ...options }: WhyOptions,
  io: Io,
): Promise<void> {
  const { signal, now } = io;
  const looked = await lookAt(target, { ...options, deep: false, pod: facts(target), signal, now });
  const seen = secrets.value(looked.case) as Case;
  const answered = { target: targetName(target, looked.who), case: seen, diagnosis: diagnose(seen) };
  const readable = whyText(answered, typing(answered, io), { colors: false, columns, now: now() }).join('\n');
  const [finding] = answered.diagnosis.findings;
  if (finding?.level === 'finding') subject.facts.push(['why', finding.sentence]);
  const document = `${JSON.stringify(answerObject(answered), null, 2)}\n`;
  await subject.text('why', 'why.json', document, { readable, masked: true });
  await subject.text('why: what was seen', 'why-case.json', `${JSON.stringify(seen)}\n`, {
    readable: '',
    masked: true,
  });
}
