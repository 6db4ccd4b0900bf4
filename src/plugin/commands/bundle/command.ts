import { command } from '../../cli/command.ts';
import { bundleFlags } from './flags.ts';

export const bundle = command({
  name: 'bundle',
  summary: 'Save everything about a target in one .tar.gz: figures, stacks, profiles, pod, events, logs',
  usage: 'TARGET...',
  flags: bundleFlags,
  examples: [
    'bundle pod/api-0',
    'bundle deploy/api --output incident.tar.gz --profile 10s',
    'bundle 4711 --profile 0',
    'bundle --from incident.tar.gz',
  ],
  async run(invocation) {
    const { runBundle } = await import('./run.ts');
    return runBundle(invocation);
  },
});
