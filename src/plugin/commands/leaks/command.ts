import { captures } from '../../../protocol/captures.ts';
import { command } from '../../cli/command.ts';
import { targetFlags } from '../../cli/common-flags.ts';

const { summary, parameters } = captures.leaks;

export const leaks = command({
  name: 'leaks',
  summary,
  usage: 'TARGET...',
  flags: {
    for: parameters.duration,
    interval: parameters.interval,
    output: {
      type: 'choice',
      short: 'o',
      placeholder: 'FORMAT',
      summary: 'form of the output',
      choices: ['json', 'yaml'],
    },
    ...targetFlags,
  },
  examples: ['leaks pod/api-0', 'leaks pod/api-0 --for 5m', 'leaks 4711 --for 20s -o json'],
  async run(invocation) {
    const { runLeaks } = await import('./run.ts');
    return runLeaks(invocation);
  },
});
