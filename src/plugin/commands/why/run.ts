/** `why`: looks at every target side by side, judges what was seen, says it. */
import { readFile, writeFile } from 'node:fs/promises';
import { NodeopsError } from '../../../protocol/errors.ts';
import { duration } from '../../../protocol/text/quantities.ts';
import type { Case } from '../../../why/case.ts';
import { diagnose } from '../../../why/diagnose.ts';
import { fanOut, type Outcome } from '../../client/fanout.ts';
import { write } from '../../io.ts';
import { documentText, isDocumentFormat } from '../../render/document.ts';
import { errorLine } from '../../render/messages.ts';
import { hasColors } from '../../render/outliers.ts';
import { targetName } from '../../render/target-name.ts';
import { type Looked, lookAt } from '../../sampling/look.ts';
import { podFacts } from '../../sampling/pod-facts.ts';
import type { Target } from '../../target.ts';
import { resolveTargets, type TargetInvocation } from '../../targets/resolve.ts';
import { type Answered, answerObject, listOf } from './document.ts';
import { markdown } from './markdown.ts';
import { groupsText, whyText } from './text.ts';
import { typing } from './typing.ts';

type WhyInvocation = TargetInvocation & {
  readonly flags: {
    readonly for: number;
    readonly deep: boolean;
    readonly output: string | undefined;
    readonly 'exit-code': boolean;
    readonly case: string | undefined;
  };
};

/** With --exit-code: something was found. */
export const foundExit = 6;
/** Processes that are looked at at the same time: each has half a dozen connections. */
const concurrency = 16;

/** Returns 0 when it could look, 3 when some of several could not be looked at, with --exit-code 6 when something was found. */
export async function runWhy(invocation: WhyInvocation): Promise<number> {
  const { args, flags, io } = invocation;
  const selecting = flags.selector !== undefined || flags['field-selector'] !== undefined || flags['all-namespaces'];
  if (flags.case !== undefined && args.length === 0 && !selecting) return judgeFile(flags.case, invocation);
  const { targets, single, skipped, api } = await resolveTargets(invocation);
  if (flags.case !== undefined && targets.length !== 1)
    throw new NodeopsError('usage', `--case keeps what was seen of one process, and ${targets.length} are looked at`);
  const who = targets.length === 1 ? targets[0]!.endpoint.name : `${targets.length} processes`;
  if (io.stderr.isTTY) io.stderr.write(`looking at ${who} for ${duration(flags.for)}\n`);
  const facts = await podFacts(api, targets, io);
  const look = (target: Target) =>
    lookAt(target, {
      forMs: flags.for,
      deep: flags.deep,
      timeoutMs: flags.timeout,
      pod: facts(target),
      port: flags.port,
      signal: io.signal,
      now: io.now,
    });
  const outcomes = await fanOut(targets, look, { concurrency: Math.min(concurrency, flags.concurrency) });
  await api?.close();
  if (io.signal.aborted) throw new NodeopsError('interrupted', 'interrupted before the look was over');
  if (single && outcomes[0]?.error) throw outcomes[0].error;
  if (flags.case !== undefined && outcomes[0]?.value) await keep(flags.case, outcomes[0].value.case);
  const answered = outcomes.flatMap(({ of, value }) => (value ? [judged(of, value)] : []));
  await write(io.stdout, await rendered(answered, outcomes, single, invocation));
  const failed = outcomes.flatMap(({ error }) => error ?? []);
  for (const error of failed) io.stderr.write(errorLine(io.program, error));
  for (const { namespace, error } of skipped) io.stderr.write(`skipped namespace ${namespace}: ${error.message}\n`);
  if (failed.length > 0 && failed.length === outcomes.length) return failed[0]!.exitCode;
  if (flags['exit-code'] && answered.some(({ diagnosis }) => diagnosis.findings[0]?.level === 'finding'))
    return foundExit;
  return failed.length > 0 || skipped.length > 0 ? 3 : 0;
}

function judged(target: Target, looked: Looked): Answered {
  const { who, case: seen } = looked;
  return { target: targetName(target, who), case: seen, diagnosis: diagnose(seen) };
}

async function rendered(
  answered: readonly Answered[],
  outcomes: readonly Outcome<Target, Looked>[],
  single: boolean,
  { flags, io }: WhyInvocation,
): Promise<string> {
  const format = flags.output;
  if (isDocumentFormat(format))
    return documentText(format, single ? answerObject(answered[0]!) : listOf(answered, outcomes));
  const now = io.now();
  if (format === 'md') return lines(answered.flatMap((each) => markdown(each, typing(each, io), now)));
  const paint = { colors: hasColors(io), columns: io.stdout.columns ?? 100, now };
  if (answered.length === 1) return lines(whyText(answered[0]!, typing(answered[0]!, io), paint));
  return lines(groupsText(answered, (each) => typing(each, io), paint));
}

async function judgeFile(path: string, { flags, io }: WhyInvocation): Promise<number> {
  let seen: Case;
  try {
    // what an older plugin did not keep
    seen = {
      ended: false,
      children: [],
      collected: [],
      requests: [],
      ...(JSON.parse(await readFile(path, 'utf8')) as Omit<Case, 'ended' | 'children' | 'collected' | 'requests'>),
    };
    if (!Array.isArray(seen.moments) || !Array.isArray(seen.stacks) || typeof seen.at !== 'string')
      throw new Error('it is not a case');
  } catch (cause) {
    throw new NodeopsError('local-file', `${path} cannot be judged: ${(cause as Error).message}`, { cause });
  }
  const { pid, container } = seen.subject;
  const target = { namespace: null, pod: null, container, pid, address: `process ${pid}` };
  const answer: Answered = { target, case: seen, diagnosis: diagnose(seen) };
  await write(io.stdout, await rendered([answer], [], true, { flags, io } as WhyInvocation));
  return flags['exit-code'] && answer.diagnosis.findings[0]?.level === 'finding' ? foundExit : 0;
}

async function keep(path: string, seen: Case): Promise<void> {
  await writeFile(path, `${JSON.stringify(seen)}\n`, { flag: 'wx', mode: 0o600 }).catch(
    (cause: NodeJS.ErrnoException) => {
      throw new NodeopsError(
        'local-file',
        `the case cannot be kept in ${path}: ${cause.code === 'EEXIST' ? 'it is there already' : cause.message}`,
        { cause },
      );
    },
  );
}

function lines(all: readonly string[]): string {
  return all.map((line) => `${line}\n`).join('');
}
