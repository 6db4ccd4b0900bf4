/** The commands that ask one question of every target and print the answers. */
import { type GopsCommand, gopsSignals } from '../../protocol/gops.ts';
import { operations, type Parameters } from '../../protocol/operations.ts';
import type { Parsed } from '../../protocol/parameters.ts';
import type { Replies } from '../../protocol/replies.ts';
import { type Command, command, type Invocation } from '../cli/command.ts';
import { outputFlags, targetFlags } from '../cli/common-flags.ts';
import type { GopsRequest } from '../transport/gops/ask.ts';
import type { views } from './views.ts';

/** `process` answers without an agent too. */
export type ReadingCommandName = Exclude<keyof typeof views, 'process'>;

/** What gops agents of Go processes answer too. */
function isAskedOfGo(name: ReadingCommandName): name is ReadingCommandName & GopsCommand {
  return Object.hasOwn(gopsSignals, name);
}

export function readingCommand<N extends ReadingCommandName>(name: N, examples: readonly string[]): Command {
  const { summary, parameters } = operations[name];
  return command({
    name,
    summary,
    usage: 'TARGET...',
    flags: { ...parameters, ...targetFlags, ...outputFlags },
    examples,
    async run(invocation) {
      const { flags } = invocation;
      const asked = Object.fromEntries(Object.keys(parameters).map((key) => [key, flags[key as keyof typeof flags]]));
      return askAndReport(name, asked as Parameters<N>, invocation);
    },
  });
}

type AskInvocation = Omit<Invocation, 'flags'> & { readonly flags: Parsed<typeof targetFlags & typeof outputFlags> };

/** Asks every target, Go processes in their own way, and prints what they answer, changed by `change`. Returns the exit code. */
export async function askAndReport<N extends ReadingCommandName>(
  name: N,
  parameters: Parameters<N>,
  invocation: AskInvocation,
  go: Partial<GopsRequest> = {},
  change: (reply: Replies[N]) => Replies[N] = (reply) => reply,
): Promise<number> {
  const { resolveTargets } = await import('../targets/resolve.ts');
  const { askAll } = await import('../client/ask.ts');
  const { withGo } = await import('../client/gops-answers.ts');
  const { report } = await import('../render/report.ts');
  const { views } = await import('./views.ts');
  const { flags, io } = invocation;
  const { targets, single, skipped } = await resolveTargets(invocation);
  const told = (await askAll(targets, name, parameters, flags, io)).map((answer) =>
    answer.value ? { ...answer, value: { ...answer.value, data: change(answer.value.data) } } : answer,
  );
  const answers = isAskedOfGo(name) ? await withGo(told, { command: name, ...go }, flags, io) : told;
  return report({ operation: name, view: views[name], single, skipped, answers, format: flags.output, io });
}
