import { command } from '../../cli/command.ts';
import { targetFlags } from '../../cli/common-flags.ts';

export const top = command({
  name: 'top',
  summary: 'Watch CPU, event loop, heap and garbage collection of many processes, live',
  usage: 'TARGET...',
  flags: {
    interval: { type: 'duration', summary: 'time between samples', default: 1_000, min: 200, max: 60_000 },
    once: { type: 'boolean', summary: 'print one table and end', default: false },
    sort: {
      type: 'choice',
      summary: 'column to sort by',
      choices: ['cpu', 'throttled', 'loop', 'delay', 'heap', 'external', 'rss', 'gc', 'handles', 'name'],
      default: 'cpu',
    },
    output: {
      type: 'choice',
      short: 'o',
      placeholder: 'FORMAT',
      summary: 'print samples instead of a screen, one JSON document a line',
      choices: ['json'],
    },
    ...targetFlags,
  },
  examples: ['top -l app=api', 'top -A --once', 'top deploy/api -o json'],
  async run(invocation) {
    const { runTop } = await import('./run.ts');
    return runTop(invocation);
  },
});
