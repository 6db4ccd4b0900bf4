import { command } from '../../cli/command.ts';
import { smokeFlags } from './flags.ts';

export const smoke = command({
  name: 'smoke',
  summary: 'Sample processes for a while and check them, for CI: 0 all passed, 1 one failed, 2 could not check',
  usage: 'TARGET...',
  flags: smokeFlags,
  examples: [
    'smoke -l app=api --for 30s',
    'smoke deploy/api --max-loop-delay-p99 50ms --max-heap-growth 10% --artifacts evidence/',
    'smoke -l app=api --checks smoke.yaml --junit smoke.xml',
    'smoke -l app=api --baseline main.json --tolerance 30%',
  ],
  async run(invocation) {
    const { runSmoke } = await import('./run-smoke.ts');
    return runSmoke(invocation);
  },
});
