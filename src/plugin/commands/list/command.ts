import type { ProcessInfo } from '../../../protocol/replies.ts';
import { command } from '../../cli/command.ts';
import { outputFlags, targetFlags } from '../../cli/common-flags.ts';
import type { Column } from '../../render/columns.ts';

export const processes = command({
  name: 'list',
  aliases: ['processes', 'ps'],
  summary: 'List the Node.js processes of this machine, or those that the agent knows in a pod',
  usage: '[TARGET...]',
  flags: { ...targetFlags, ...outputFlags },
  examples: ['list', 'list pod/api-0', 'list pod/api-0 -o json'],
  async run(invocation) {
    const { args, flags, io } = invocation;
    const selecting = flags.selector !== undefined || flags['field-selector'] !== undefined || flags['all-namespaces'];
    if (args.length === 0 && !selecting) return (await import('./local.ts')).listLocal(flags.output, io);
    const { resolveTargets } = await import('../../targets/resolve.ts');
    const { askAll } = await import('../../client/ask.ts');
    const { report } = await import('../../render/report.ts');
    const { targets, single, skipped } = await resolveTargets(invocation);
    const answers = await askAll(targets, 'processes', {}, flags, io);
    return report({
      operation: 'processes',
      rows: ({ processes }) => processes,
      columns,
      single,
      skipped,
      answers,
      format: flags.output,
      io,
    });
  },
});

const columns: readonly Column<ProcessInfo>[] = [
  { title: 'CONTAINER', text: ({ container }) => container },
  { title: 'PID', align: 'right', text: ({ pid }) => String(pid) },
  { title: 'PPID', align: 'right', text: ({ ppid }) => String(ppid) },
  { title: 'NAME', text: ({ name }) => name },
  { title: 'NODE', text: ({ nodeVersion }) => nodeVersion },
  { title: 'AGENT', text: ({ agentVersion }) => agentVersion },
  { title: 'LEADER', wide: true, text: ({ leader }) => (leader ? 'yes' : 'no') },
  { title: 'STARTED', text: ({ startedAt }) => startedAt },
  { title: 'COMMAND', text: ({ command: line }) => line },
];
