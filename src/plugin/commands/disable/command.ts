import { command } from '../../cli/command.ts';
import { rolloutFlags } from '../enable/flags.ts';

export const disable = command({
  name: 'disable',
  summary: 'Take the agent out of the pods of a workload; this replaces its pods',
  usage: 'deploy/NAME',
  flags: rolloutFlags,
  examples: ['disable deploy/api --wait', 'disable deploy/api --dry-run server'],
  async run(invocation) {
    const { runDisable } = await import('../enable/run.ts');
    return runDisable(invocation);
  },
});
