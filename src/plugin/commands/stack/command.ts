import { operations } from '../../../protocol/operations.ts';
import { command } from '../../cli/command.ts';
import { outputFlags, targetFlags } from '../../cli/common-flags.ts';
import { askAndReport } from '../reading-command.ts';

const { summary, parameters } = operations.stack;
const flags = {
  ...parameters,
  ...targetFlags,
  ...outputFlags,
  'source-map-dir': {
    type: 'text',
    placeholder: 'DIR',
    summary: 'directory with the source maps of what runs there',
    maxLength: 4096,
  },
} as const;

export const stack = command({
  name: 'stack',
  summary,
  usage: 'TARGET...',
  flags,
  examples: ['stack pod/api-0', 'stack pod/api-0 -c web', 'stack pod/api-0 --source-map-dir dist'],
  async run(invocation) {
    const directory = invocation.flags['source-map-dir'];
    if (directory === undefined) return askAndReport('stack', {}, invocation);
    const { sourceMapDir } = await import('../../../formats/source-map-dir.ts');
    const { mapStack } = await import('./map-stack.ts');
    const onProblem = ({ message }: Error) => invocation.io.stderr.write(`note: ${message}\n`);
    const lookup = await sourceMapDir(directory, { onProblem });
    return askAndReport('stack', {}, invocation, {}, (reply) => mapStack(reply, lookup));
  },
});
