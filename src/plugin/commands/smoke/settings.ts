/** What a run is to do, from flags and files. */
import { NodeopsError } from '../../../protocol/errors.ts';
import type { Parsed } from '../../../protocol/parameters.ts';
import { duration } from '../../../protocol/text/quantities.ts';
import { makeWritable } from '../../captures/destination.ts';
import type { Invocation } from '../../cli/command.ts';
import { type Baseline, readBaseline } from './baseline.ts';
import { readChecksFile } from './checks-file.ts';
import type { smokeFlags } from './flags.ts';
import { parseLimit } from './limit.ts';
import { enough } from './measure.ts';
import { checkFile } from './output/write.ts';
import { flagLimits, makePlan, type Plan } from './plan.ts';

export type SmokeInvocation = Omit<Invocation, 'flags'> & { readonly flags: Parsed<typeof smokeFlags> };

/** What was typed, read and checked before anything is asked of a process. */
export interface Settings {
  readonly plan: Plan;
  readonly baseline: Baseline | undefined;
  readonly tolerance: number;
  readonly gcs: number;
  readonly artifacts: string | undefined;
}

/** Throws `usage`, `local-file`, `too-large`. */
export async function readSettings({ flags }: SmokeInvocation): Promise<Settings> {
  const tolerance = parseLimit('share', flags.tolerance);
  if (tolerance?.unit !== 'share' || !/%$/.test(flags.tolerance))
    throw new NodeopsError('usage', `--tolerance is '${flags.tolerance}'; it takes a percentage such as 20%`);
  const limits = flagLimits(flags);
  const file = flags.checks === undefined ? undefined : await readChecksFile(flags.checks);
  const plan = makePlan(limits, file, !flags['no-defaults']);
  const gcs = plan.includes('max-heap-growth') ? flags.gcs : 0;
  const samples = Math.floor(flags.for / flags.every);
  const needed = Math.max(enough.sampled, gcs);
  if (samples < needed)
    throw new NodeopsError(
      'usage',
      `--for ${duration(flags.for)} with --every ${duration(flags.every)} gives ${samples} samples, and it takes ${needed}`,
      {
        hint: `--for ${Math.ceil((needed * flags.every) / 1000)}s, or a shorter --every`,
      },
    );
  for (const name of ['junit', 'markdown', 'save-baseline'] as const) await checkFile(name, flags[name]);
  const artifacts = flags.artifacts === undefined ? undefined : await makeWritable(flags.artifacts);
  const baseline = flags.baseline === undefined ? undefined : await readBaseline(flags.baseline);
  return { plan, baseline, tolerance: tolerance.most, gcs, artifacts };
}
