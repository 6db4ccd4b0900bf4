import { command } from '../../cli/command.ts';
import { targetFlags } from '../../cli/common-flags.ts';

export const why = command({
  name: 'why',
  summary:
    'Say what is wrong with a process: watch it for some seconds, print the causes with figures, the likeliest first',
  usage: 'TARGET...',
  flags: {
    for: { type: 'duration', summary: 'how long to watch', default: 10_000, min: 2_000, max: 120_000 },
    deep: {
      type: 'boolean',
      summary: 'force a garbage collection before and after: growth is then told from garbage for sure',
      default: false,
    },
    output: {
      type: 'choice',
      short: 'o',
      placeholder: 'FORMAT',
      summary: 'form of the output',
      choices: ['json', 'yaml', 'kyaml', 'md'],
    },
    'exit-code': { type: 'boolean', summary: 'exit with 6 when something is found', default: false },
    case: {
      type: 'text',
      placeholder: 'FILE',
      summary: 'also keep what was seen of one process as JSON; with no target, judge such a file again',
      maxLength: 4096,
    },
    ...targetFlags,
  },
  examples: ['why pod/api-0', 'why deploy/api', 'why 4711 --for 30s', 'why pod/api-0 --attach=exec -o md'],
  async run(invocation) {
    const { runWhy } = await import('./run.ts');
    return runWhy(invocation);
  },
});
