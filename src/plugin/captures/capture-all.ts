/** The same capture of one process or many, each into its own file, and profiles also merged into one. */
import type { Profile } from '../../formats/model.ts';
import { asNodeopsError } from '../../protocol/errors.ts';
import { fanOut, type Outcome } from '../client/fanout.ts';
import type { Io } from '../io.ts';
import type { Target } from '../target.ts';
import { type CaptureRequest, type Collected, collect, type SavedFile } from './collect.ts';
import { stamp } from './filename.ts';
import { extensionOf } from './formats.ts';
import { PartFile } from './part-file.ts';
import { Progress } from './progress.ts';

export interface CaptureAllRequest extends CaptureRequest {
  /** Targets at the same time. */
  readonly concurrency: number;
  /** Whether several profiles are also merged into one file. */
  readonly merge: boolean;
}

export interface CapturedAll {
  readonly outcomes: readonly Outcome<Target, Collected>[];
  /** Of several profiles. */
  readonly merged: { readonly file: SavedFile; readonly profile: Profile; readonly count: number } | undefined;
}

/** Captures from all; one that fails holds nobody up. */
export async function captureAll(targets: readonly Target[], request: CaptureAllRequest, io: Io): Promise<CapturedAll> {
  const progress = new Progress(io, targets.length);
  const several = targets.length > 1;
  const merger = several && request.merge && request.convert ? await newMerger() : undefined;
  let count = 0;
  try {
    const outcomes = await fanOut(
      targets,
      async (target) => {
        const { profile, ...collected } = await collect(target, request, io, progress);
        if (profile && merger) {
          merger.add(profile, collected.files[0]?.path ?? target.endpoint.name);
          count++;
        }
        // of many, only the sum is kept in memory
        return { ...collected, profile: several ? undefined : profile };
      },
      { concurrency: request.concurrency },
    );
    const merged = merger && count > 1 ? await saveMerged(merger.result(), count, request, io) : undefined;
    return { outcomes, merged };
  } finally {
    progress.clear();
  }
}

async function newMerger() {
  const { Merger } = await import('../../formats/merge.ts');
  return new Merger();
}

async function saveMerged(
  profile: Profile,
  count: number,
  { destination, capture }: CaptureAllRequest,
  io: Io,
): Promise<CapturedAll['merged']> {
  if (destination.kind !== 'directory') return undefined;
  const { toPprof } = await import('../../formats/to-pprof.ts');
  const stem = `merged.${count}-processes.${stamp(io.now())}`;
  const part = await PartFile.create({ ...destination, stem, extension: extensionOf(capture, 'pprof') });
  try {
    await part.write(await toPprof(profile));
    const sha256 = part.sha256();
    const { bytes } = part;
    return { file: { path: await part.keep(), bytes, sha256 }, profile, count };
  } catch (error) {
    throw asNodeopsError(error);
  } finally {
    await part.discard();
  }
}
