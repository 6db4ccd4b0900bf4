import { targetFlags } from '../../cli/common-flags.ts';
import type { FlagSet } from '../../cli/flags.ts';

export const doctorFlags = {
  selector: targetFlags.selector,
  container: { ...targetFlags.container, summary: 'container of the pod' },
  pid: targetFlags.pid,
  port: { type: 'integer', summary: "the agents' port (default the one that the pod asks for)", min: 1, max: 65_535 },
  output: {
    type: 'choice',
    short: 'o',
    placeholder: 'FORMAT',
    summary: 'form of the output; md for a ticket',
    choices: ['json', 'yaml', 'md'],
  },
} as const satisfies FlagSet;
