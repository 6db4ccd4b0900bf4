import { command } from '../../cli/command.ts';
import { targetFlags } from '../../cli/common-flags.ts';

export const postmortem = command({
  name: 'postmortem',
  summary: 'Tell how a pod crashed: last state, events, and the crash records its processes left',
  usage: 'TARGET',
  flags: {
    output: {
      type: 'text',
      placeholder: 'DIR',
      summary: 'where to save the records (default: a new directory)',
      maxLength: 4096,
    },
    last: { type: 'integer', summary: 'records to fetch, newest first', default: 5, min: 1, max: 200 },
    wait: {
      type: 'boolean',
      summary: 'where a container waits to be restarted, take its records as soon as it runs (default on a terminal)',
    },
    result: {
      type: 'choice',
      short: 'o',
      placeholder: 'FORMAT',
      summary: 'form of what is told',
      choices: ['json', 'yaml'],
    },
    ...targetFlags,
  },
  examples: [
    'postmortem pod/api-0',
    'postmortem pod/api-0 --last 1 --output crash/',
    'postmortem pod/api-0 --wait',
    'postmortem pod/api-0 -o json',
  ],
  async run(invocation) {
    const { runPostmortem } = await import('./run.ts');
    return runPostmortem(invocation);
  },
});
