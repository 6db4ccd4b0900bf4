/** `history`: what was recorded, merged to as many points as were asked for. */
import { SourceMaps } from '../../inspect/source-maps.ts';
import { NodeopsError } from '../../protocol/errors.ts';
import type { HistoryReply, Series, StallInfo } from '../../protocol/history.ts';
import type { Frame } from '../../protocol/replies.ts';
import { type Column, columns } from './columns.ts';
import type { Recording } from './recording.ts';
import type { Sample } from './samples.ts';
import type { StallStack } from './stacks.ts';
import type { Watch } from './watch.ts';

/** Who writes does for some microseconds. */
const attempts = 1_000;

/** Throws `busy` when the recording is being written all the time. */
export async function readHistory(
  watch: Watch,
  { since, points }: { since: number; points: number },
  now = Date.now(),
): Promise<HistoryReply> {
  const history = takeHistory(watch.recording, watch.stacks, { since, points, stallMs: watch.settings.stallMs }, now);
  const current = watch.current();
  if (current) history.stalls.push(describe(current, watch.stacks.get(current.beat), true));
  const maps = new SourceMaps('');
  for (const stall of history.stalls)
    if (stall.frames) stall.frames = await Promise.all(stall.frames.map((frame: Frame) => maps.original(frame)));
  return history;
}

/** Samples that end after `since`, oldest first; undefined while the recording is being written all the time. */
export function takeSamples(recording: Recording, since: number): Sample[] | undefined {
  let samples: Sample[] | undefined;
  for (let attempt = 0; attempt < attempts && !samples; attempt++) samples = recording.samples(since);
  return samples;
}

/** The same at once, as the code runs and not as it was written: for when the process is about to end. */
export function takeHistory(
  recording: Recording,
  stacks: ReadonlyMap<number, StallStack>,
  { since, points, stallMs }: { since: number; points: number; stallMs: number },
  now = Date.now(),
): HistoryReply {
  const samples = takeSamples(recording, now - since);
  if (!samples) throw new NodeopsError('busy', 'the recording is being written', { hint: 'ask again' });
  const merged = merge(samples, points);
  const known = (value: number) => (Number.isNaN(value) ? null : value);
  const gcPauseMs = recording.get('gcPauseMs');
  return {
    since: new Date(recording.get('startedAt')).toISOString(),
    times: merged.map(({ at }) => at),
    series: Object.fromEntries(columns.map((column) => [column, series(merged, column)])) as HistoryReply['series'],
    heapLimitBytes: known(recording.get('heapLimitBytes')),
    memoryLimitBytes: known(recording.get('memoryLimitBytes')),
    gc: Number.isNaN(gcPauseMs)
      ? null
      : {
          minor: recording.get('minorGcs'),
          major: recording.get('majorGcs'),
          totalPauseMs: gcPauseMs,
          maxPauseMs: recording.get('gcMaxPauseMs'),
        },
    loopDelay: { p50Ms: known(recording.get('delayP50Ms')), p99Ms: known(recording.get('delayP99Ms')) },
    stallMs,
    stallCount: recording.stallCount,
    stalls: recording.stalls(now - since).map((stall) => describe(stall, stacks.get(stall.beat), false)),
  };
}

function describe(
  { at, durationMs }: { at: number; durationMs: number },
  stack: StallStack | undefined,
  ongoing: boolean,
): StallInfo {
  return {
    at: new Date(at).toISOString(),
    durationMs,
    ongoing,
    frames: stack?.frames ?? null,
    evidence: stack?.evidence ?? null,
  };
}

/** Groups of samples that follow each other, each at the time of its last. */
function merge(samples: readonly Sample[], points: number): { at: number; of: readonly Sample[] }[] {
  const size = Math.max(1, Math.ceil(samples.length / points));
  const groups: { at: number; of: readonly Sample[] }[] = [];
  for (let index = 0; index < samples.length; index += size) {
    const of = samples.slice(index, index + size);
    groups.push({ at: of.at(-1)!.at, of });
  }
  return groups;
}

function series(groups: readonly { of: readonly Sample[] }[], column: Column): Series {
  const values = (of: readonly Sample[], part: 'mean' | 'max') =>
    of.map((sample) => sample[part][column] ?? Number.NaN).filter((value) => !Number.isNaN(value));
  return {
    mean: groups.map(({ of }) => {
      const known = values(of, 'mean');
      return known.length === 0 ? null : rounded(known.reduce((sum, value) => sum + value, 0) / known.length);
    }),
    max: groups.map(({ of }) => {
      const known = values(of, 'max');
      return known.length === 0 ? null : rounded(Math.max(...known));
    }),
  };
}

/** What a 32-bit float holds; more digits would only be longer. */
function rounded(value: number): number {
  return Number(value.toPrecision(7));
}
