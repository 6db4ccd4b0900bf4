import { command } from '../../cli/command.ts';
import { rolloutFlags, wishFlags } from './flags.ts';

export const enable = command({
  name: 'enable',
  summary: 'Have the agent injected into the pods of a workload; this replaces its pods',
  usage: 'deploy/NAME',
  flags: { ...wishFlags, ...rolloutFlags },
  examples: ['enable deploy/api --wait', 'enable statefulset/db --containers db --dry-run client'],
  async run(invocation) {
    const { runEnable } = await import('./run.ts');
    return runEnable(invocation);
  },
});
