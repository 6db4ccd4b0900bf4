/** `leaks`: watches what survives in every target side by side, and says which functions keep ever more. */
import { errorCodes } from '../../../protocol/errors.ts';
import { leaksText } from '../../../protocol/text/leaks.ts';
import { Progress } from '../../captures/progress.ts';
import { fanOut, type Outcome } from '../../client/fanout.ts';
import { write } from '../../io.ts';
import { documentText, itemObject, listObject } from '../../render/document.ts';
import { errorLine } from '../../render/messages.ts';
import { printableReply } from '../../render/printable.ts';
import { targetName, typedName } from '../../render/target-name.ts';
import { type TakenLeaks, takeLeaks } from '../../sampling/leaks.ts';
import type { Target } from '../../target.ts';
import { resolveTargets, type TargetInvocation } from '../../targets/resolve.ts';

type LeaksInvocation = TargetInvocation & {
  readonly flags: {
    readonly for: number;
    readonly interval: number | undefined;
    readonly output: string | undefined;
  };
};

/** Returns 0, or 3 when some of several could not be watched; a single target's error is thrown. */
export async function runLeaks(invocation: LeaksInvocation): Promise<number> {
  const { flags, io } = invocation;
  const { targets, single, skipped, api } = await resolveTargets(invocation);
  const progress = new Progress(io, targets.length);
  const take = async (target: Target): Promise<TakenLeaks> => {
    const { name } = target.endpoint;
    try {
      return await takeLeaks(target, {
        parameters: { duration: flags.for, interval: flags.interval },
        timeoutMs: flags.timeout ?? 30_000,
        ...{ stop: io.signal, abandon: io.abandon ?? io.signal },
        onState: (text) => progress.update(name, text),
        say: (text) => progress.say(text),
      });
    } finally {
      progress.end(name);
    }
  };
  const outcomes = await fanOut(targets, take, { concurrency: flags.concurrency });
  progress.clear();
  await api?.close();
  const [only] = outcomes;
  if (single && only?.error) throw only.error;
  await write(io.stdout, await rendered(outcomes, single, flags.output));
  for (const { of, value } of outcomes)
    for (const note of value?.notes ?? [])
      io.stderr.write(`note: ${single ? '' : `${typedName(targetName(of, value!.who))}: `}${note}\n`);
  const failed = outcomes.flatMap(({ error }) => error ?? []);
  for (const error of failed) io.stderr.write(errorLine(io.program, error));
  for (const { namespace, error } of skipped) io.stderr.write(`skipped namespace ${namespace}: ${error.message}\n`);
  if (failed.length > 0 && failed.length === outcomes.length) return failed[0]!.exitCode;
  return failed.length > 0 || skipped.length > 0 ? errorCodes['some-failed'].exit : 0;
}

async function rendered(
  outcomes: readonly Outcome<Target, TakenLeaks>[],
  single: boolean,
  format: string | undefined,
): Promise<string> {
  if (format === 'json' || format === 'yaml') {
    const items = outcomes.map(({ of, value, error }) => ({
      target: targetName(of, value?.who),
      error,
      envelope: value && { ...value.who, operation: 'leaks', data: value.report, notes: value.notes },
    }));
    return documentText(format, single ? itemObject(items[0]!) : listObject('leaks', items));
  }
  const blocks = outcomes.flatMap(({ of, value }) => {
    if (!value) return [];
    const lines = leaksText(printableReply({ ...value.who, data: value.report }).data);
    return [[...(single ? [] : [`${typedName(targetName(of, value.who))}:`]), ...lines]];
  });
  return blocks.map((lines) => lines.map((line) => `${line}\n`).join('')).join('\n');
}
