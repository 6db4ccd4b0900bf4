import { NodeopsError } from '../../../protocol/errors.ts';
import { operations } from '../../../protocol/operations.ts';
import { command } from '../../cli/command.ts';
import { outputFlags, targetFlags } from '../../cli/common-flags.ts';

const { summary, parameters } = operations.process;

/** A PID is any process of this machine; every other target is asked through its agent. */
export const process = command({
  name: 'process',
  aliases: ['pid', 'proc'],
  summary,
  usage: 'PID|TARGET...',
  flags: { ...parameters, ...targetFlags, ...outputFlags },
  examples: ['4711 5s', 'process 4711', 'process 127.0.0.1:8848', 'process pod/api-0 --duration 5s'],
  async run(invocation) {
    const { resolveTargets } = await import('../../targets/resolve.ts');
    const { parseTarget } = await import('../../targets/parse.ts');
    const { askAll } = await import('../../client/ask.ts');
    const { fanOut } = await import('../../client/fanout.ts');
    const { report } = await import('../../render/report.ts');
    const { views } = await import('../views.ts');
    const { localTarget } = await import('../../targets/pid.ts');
    const { summarize } = await import('./summary.ts');
    const { args, flags, io } = invocation;
    const { duration } = flags;
    const pids = args.map(parseTarget).flatMap((spec) => (spec.kind === 'pid' ? [spec.pid] : []));
    const rest = args.filter((word) => parseTarget(word).kind !== 'pid');
    const selecting = flags.selector ?? flags['field-selector'] ?? (flags['all-namespaces'] || undefined);
    const resolved =
      pids.length === 0 || rest.length > 0 || selecting !== undefined
        ? await resolveTargets({ ...invocation, args: rest })
        : undefined;
    const [local, asked] = await Promise.all([
      fanOut(pids.map(localTarget), ({ process: pid }) => summarize(Number(pid), duration, io)),
      askAll(resolved?.targets ?? [], 'process', { duration }, flags, io),
    ]);
    const answers = [...local, ...asked];
    const single = answers.length === 1 && (resolved?.single ?? true);
    if (answers.length === 0) throw new NodeopsError('nothing-matched', 'no process matches the selection');
    return report({
      operation: 'process',
      view: views.process,
      single,
      skipped: resolved?.skipped ?? [],
      answers,
      format: flags.output,
      io,
    });
  },
});
