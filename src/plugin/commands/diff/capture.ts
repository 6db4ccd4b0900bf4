/** Profiles of both sides of a comparison, taken at the same time and merged by side. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Merger } from '../../../formats/merge.ts';
import type { Profile } from '../../../formats/model.ts';
import { NodeopsError } from '../../../protocol/errors.ts';
import { type CaptureRequest, collect } from '../../captures/collect.ts';
import { Progress } from '../../captures/progress.ts';
import { fanOut, type Outcome } from '../../client/fanout.ts';
import type { Io } from '../../io.ts';
import type { Target } from '../../target.ts';

export interface CapturedSide {
  readonly profile: Profile;
  /** Processes in it. */
  readonly count: number;
  readonly failed: readonly NodeopsError[];
}

/** Throws what went wrong where a side yields no profile at all. The files are not kept. */
export async function captureSides(
  sides: readonly (readonly Target[])[],
  request: Omit<CaptureRequest, 'destination' | 'format'>,
  concurrency: number,
  io: Io,
): Promise<CapturedSide[]> {
  const all = sides.flatMap((targets, side) => targets.map((target) => ({ target, side })));
  if (all.length > concurrency)
    throw new NodeopsError(
      'usage',
      `both sides have ${all.length} processes, and --concurrency allows ${concurrency}: they could not be measured at the same time`,
      { hint: `--concurrency ${all.length}` },
    );
  const directory = await mkdtemp(join(tmpdir(), 'nodeops-diff-'));
  const progress = new Progress(io, all.length);
  const mergers = sides.map(() => new Merger());
  try {
    const outcomes = await fanOut(
      all,
      async ({ target, side }) => {
        const destination = { kind: 'directory', directory } as const;
        const { profile } = await collect(target, { ...request, destination, format: 'pprof' }, io, progress);
        if (!profile) throw new NodeopsError('failed', `${target.endpoint.name} gave no profile that can be compared`);
        mergers[side]!.add(profile, target.endpoint.name);
      },
      { concurrency },
    );
    return sides.map((_, side) =>
      sideOf(
        outcomes.filter(({ of }) => of.side === side),
        mergers[side]!,
      ),
    );
  } finally {
    progress.clear();
    await rm(directory, { recursive: true, force: true });
  }
}

function sideOf(outcomes: readonly Outcome<{ target: Target }, void>[], merger: Merger): CapturedSide {
  const failed = outcomes.flatMap(({ error }) => error ?? []);
  const count = outcomes.length - failed.length;
  if (count === 0) throw failed[0]!;
  return { profile: merger.result(), count, failed };
}
