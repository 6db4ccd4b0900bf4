import { NodeopsError } from '../../../protocol/errors.ts';
import { operations } from '../../../protocol/operations.ts';
import { command } from '../../cli/command.ts';
import { outputFlags, targetFlags } from '../../cli/common-flags.ts';

export const setgc = command({
  name: 'setgc',
  summary: operations.setgc.summary,
  usage: 'TARGET... PERCENT|off',
  flags: { ...targetFlags, ...outputFlags },
  examples: ['setgc pod/api-0 50', 'setgc pod/api-0 off'],
  async run(invocation) {
    const percent = parsePercent(invocation.args.at(-1));
    const { askAndReport } = await import('../reading-command.ts');
    const go = { percent: percent === 'off' ? -1 : Number(percent) };
    return askAndReport('setgc', { percent }, { ...invocation, args: invocation.args.slice(0, -1) }, go);
  },
});

/** The last word, as gops takes it: refused before anything is asked. */
function parsePercent(text: string | undefined): string {
  if (text === 'off' || (text !== undefined && /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 10_000))
    return text;
  throw new NodeopsError(
    'usage',
    `setgc ends with ${text === undefined ? 'nothing' : `'${text.slice(0, 40)}'`}; it takes a whole number from 1 to 10000, or off`,
    {
      hint: 'such as: setgc pod/api-0 50',
    },
  );
}
