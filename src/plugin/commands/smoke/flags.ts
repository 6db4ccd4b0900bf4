import { targetFlags } from '../../cli/common-flags.ts';
import type { FlagSet } from '../../cli/flags.ts';
import { type Check, type CheckName, checks } from './checks.ts';
import { type LimitKind, takes } from './limit.ts';

const placeholders: Readonly<Record<LimitKind, string>> = {
  duration: 'DURATION',
  share: 'SHARE',
  size: 'SIZE|PERCENT',
  count: 'NUMBER',
  range: 'RANGE',
};

function checkFlag({ summary, kind, standard }: Check) {
  const shown = standard === undefined ? takes[kind] : `default ${standard}`;
  return { type: 'text', placeholder: placeholders[kind], summary: `${summary} (${shown})`, maxLength: 100 } as const;
}

/** One for each check; not given, it is what the table says is standard. */
const checkFlags = Object.fromEntries(Object.entries(checks).map(([name, check]) => [name, checkFlag(check)])) as {
  readonly [N in CheckName]: ReturnType<typeof checkFlag>;
};

const file = (summary: string) => ({ type: 'text', placeholder: 'FILE', summary, maxLength: 4096 }) as const;

/** Every process is sampled, so there is no flag that says so. */
const { 'all-processes': _, ...selecting } = targetFlags;

export const smokeFlags = {
  for: { type: 'duration', summary: 'how long to sample', default: 30_000, min: 1_000, max: 3_600_000 },
  every: { type: 'duration', summary: 'time between samples', default: 1_000, min: 200, max: 60_000 },
  warmup: { type: 'duration', summary: 'how long to wait before sampling', default: 5_000, min: 0, max: 600_000 },
  ...checkFlags,
  gcs: {
    type: 'integer',
    summary: 'forced garbage collections that --max-heap-growth is told from',
    default: 6,
    min: 4,
    max: 100,
  },
  'no-defaults': { type: 'boolean', summary: 'make only the checks that are asked for' },
  checks: file('YAML file with checks, also for single containers and workloads'),
  baseline: file('compare with the figures of an earlier run'),
  'save-baseline': file('write the figures of this run, if it passes'),
  tolerance: {
    type: 'text',
    placeholder: 'PERCENT',
    summary: 'what a figure may be worse than in the baseline',
    default: '20%',
    maxLength: 20,
  },
  junit: file('write JUnit XML'),
  markdown: file('write a summary in Markdown'),
  artifacts: {
    type: 'text',
    placeholder: 'DIR',
    summary: 'keep stacks and profiles of the processes that fail a check',
    maxLength: 4096,
  },
  profile: {
    type: 'duration',
    summary: 'how long the profiles among the artifacts are taken',
    default: 5_000,
    min: 100,
    max: 600_000,
  },
  output: {
    type: 'choice',
    short: 'o',
    placeholder: 'FORMAT',
    summary: 'form of the output',
    choices: ['wide', 'json', 'yaml'],
  },
  ...selecting,
} as const satisfies FlagSet;
