import { operations } from '../../../protocol/operations.ts';
import { command } from '../../cli/command.ts';
import { outputFlags, targetFlags } from '../../cli/common-flags.ts';

export const history = command({
  name: 'history',
  summary: operations.history.summary,
  usage: 'TARGET...',
  flags: {
    since: { type: 'duration', summary: 'how far to look back', default: 900_000, min: 1_000, max: 21_600_000 },
    html: {
      type: 'text',
      placeholder: 'FILE',
      summary: 'write a page with charts that opens offline',
      maxLength: 4096,
    },
    overwrite: { type: 'boolean', summary: 'replace the file that --html names', default: false },
    ascii: { type: 'boolean', summary: 'draw with plain characters', default: false },
    ...targetFlags,
    ...outputFlags,
  },
  examples: [
    'history pod/api-0',
    'history pod/api-0 --since 2h',
    'history pod/api-0 --html api-0.html',
    'history 4711 -o json',
  ],
  async run(invocation) {
    const { runHistory } = await import('./run.ts');
    return runHistory(invocation);
  },
});
