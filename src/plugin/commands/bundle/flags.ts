import { targetFlags } from '../../cli/common-flags.ts';
import type { FlagSet } from '../../cli/flags.ts';

/** Every process is looked at, so there is no flag that says so. */
const { 'all-processes': _, ...selecting } = targetFlags;

export const bundleFlags = {
  output: {
    type: 'text',
    placeholder: 'FILE|DIR|-',
    summary: 'where to save it; - is stdout (default: the current directory)',
    maxLength: 4096,
  },
  overwrite: { type: 'boolean', summary: 'replace the file that --output names', default: false },
  result: {
    type: 'choice',
    short: 'o',
    placeholder: 'FORMAT',
    summary: 'form in which the saved file is told',
    choices: ['json', 'yaml', 'name'],
  },
  profile: {
    type: 'duration',
    summary: 'how long the CPU and the heap profile are taken; 0 takes none',
    default: 5_000,
    min: 0,
    max: 600_000,
  },
  tail: { type: 'integer', summary: 'lines of each log', default: 500, min: 0, max: 100_000 },
  from: { type: 'text', placeholder: 'FILE', summary: 'show a bundle that was saved, offline', maxLength: 4096 },
  'no-open': { type: 'boolean', summary: 'with --from, print a summary and open no browser' },
  ...selecting,
} as const satisfies FlagSet;
