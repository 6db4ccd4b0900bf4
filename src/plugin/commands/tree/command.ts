import { command } from '../../cli/command.ts';
import { outputFlags, targetFlags } from '../../cli/common-flags.ts';

export const tree = command({
  name: 'tree',
  summary: 'Draw the Node.js processes of this machine or of a pod, under those that started them',
  usage: '[TARGET...]',
  flags: { ...targetFlags, ...outputFlags },
  examples: ['tree', 'tree pod/api-0', 'tree -l app=api'],
  async run(invocation) {
    const { args, flags, io } = invocation;
    const selecting = flags.selector !== undefined || flags['field-selector'] !== undefined || flags['all-namespaces'];
    if (args.length === 0 && !selecting) return (await import('./local.ts')).drawLocal(flags.output, io);
    const { resolveTargets } = await import('../../targets/resolve.ts');
    const { askAll } = await import('../../client/ask.ts');
    const { report } = await import('../../render/report.ts');
    const { podTreeLines } = await import('./pod-tree.ts');
    const { targets, single, skipped } = await resolveTargets(invocation);
    const answers = await askAll(targets, 'processes', {}, flags, io);
    const view = { text: ({ processes }: Parameters<typeof podTreeLines>[0]) => podTreeLines({ processes }) };
    return report({ operation: 'processes', view, single, skipped, answers, format: flags.output, io });
  },
});
