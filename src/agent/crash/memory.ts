/**
 * Watches memory run short. From two thirds of a limit on allocations are sampled; close to it a record is kept, while there is
 * still somebody to write it: V8 out of memory and the kernel's SIGKILL leave no time.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { MemoryLimit } from '../../proc/cgroup.ts';
import type { CrashRecord } from '../../protocol/crash.ts';
import type { ProcessInfo } from '../../protocol/replies.ts';
import { bytesShort, percent } from '../../protocol/text/quantities.ts';
import type { Watch } from '../recorder/watch.ts';
import type { Kept } from './kept.ts';
import { type Neighbour, nodesHere } from './neighbours.ts';
import type { SleepingWatch } from './on-standby.ts';
import { type Pressure, pressureGauge, type ShortageKind } from './pressure.ts';
import { crashRecord, lastMinutes, recordName } from './record.ts';
import { recordAt, sampleAt } from './shares.ts';

/** Shares of a limit, beside those that the main thread knows, too. */
const endSamplingAt = 0.45;
const overAt = 0.7;
/** However fast it grows: what has half of its memory left is not short of it. */
const leastShare = 0.5;
/** From one record of a kind to the next, restarts and other processes included. */
const pauseMs = 600_000;
/** Sampling that came to nothing is not begun again for as long. */
const samplingMs = 300_000;
/** Within this the largest process of a container writes the record; then any other does. */
const graceMs = 2_000;
/** How long a list of what others have kept is used. */
const lookMs = 1_000;

/** A woken agent does not fall asleep before it has seen how full the heap is, unless the main thread says nothing for so long. */
const unknownMs = 10_000;
/** What sampling needs to see something. */
const settleMs = 1_000;

export interface MemoryWatch {
  /** Called with each look at the process, some times a second. */
  look(watch: Watch, limit: MemoryLimit | null): void;
  /** Whether it is in the middle of something: a woken agent does not fall asleep then. */
  busy(): boolean;
}

interface Sampling {
  finish(): Promise<string | null>;
  abandon(): void;
}
/** Whose record it is, where it is not this process's. */
interface About {
  readonly info: ProcessInfo;
  readonly history: CrashRecord['history'];
}

/** `sleeping`: the processes that this one looks after. */
export function watchMemory(kept: Kept, info: ProcessInfo, sleeping?: SleepingWatch): MemoryWatch {
  const [startedAt, startedDate] = [performance.now(), Date.now()];
  let known = false;
  let sampling: Promise<Sampling> | undefined;
  let sampledAt = Number.NEGATIVE_INFINITY;
  let before: Pick<CrashRecord, 'memory' | 'stacks'> | undefined;
  let recording = false;
  let dueAt: number | undefined;
  let short: { here: readonly Neighbour[]; at: number; woken: Set<number> } | undefined;
  const levels = new Map<ShortageKind, number>();
  const gauge = pressureGauge();
  const newest = newestRecords(kept);

  async function record(watch: Watch, pressure: Pressure, about: About | undefined): Promise<void> {
    recording = true;
    try {
      const { stacks, recording: figures, settings } = watch;
      const history = about ? about.history : lastMinutes(figures, settings.stallMs, { stacks });
      const subject = about?.info ?? info;
      const name = recordName(pressure.kind, subject.pid);
      let found = crashRecord(subject, pressure.kind, summary(pressure, short?.here ?? [], subject.pid), { history });
      const keep = (more: Partial<CrashRecord>) => {
        found = { ...found, ...more };
        kept.write(name, JSON.stringify(found));
      };
      // first what is at hand: the rest may come too late
      keep(about ? {} : { ...before });
      newest.noted(pressure.kind);
      if (about) return;
      const { readNow, takeReport } = await import('./now.ts');
      // then what allocated, which is asked of V8 alone; stacks, spaces and Node's report come last. Sampling that was begun just now
      // has seen nothing yet
      const youngMs = sampledAt + settleMs - performance.now();
      if (youngMs > 0) await Promise.all([readNow().then(keep), sleep(youngMs)]);
      const profile = await (await sampling?.catch(() => undefined))?.finish();
      sampling = undefined;
      const beside = (extension: string, text: string): string => {
        const file = name.replace(/\.json$/, extension);
        kept.write(file, text);
        return file;
      };
      if (profile) keep({ heapProfile: beside('.heapprofile', profile) });
      keep(await readNow());
      const report = await takeReport();
      if (report) keep({ report: beside('.report.json', report) });
    } finally {
      recording = false;
    }
  }

  function startSampling(): void {
    sampledAt = performance.now();
    const now = import('./now.ts');
    sampling = now.then(({ sampleHeap }) => sampleHeap(samplingMs));
    sampling.catch(() => {});
    // while there is time: what is known of spaces and stacks when the record is due
    now
      .then(async ({ readNow }) => {
        before = await readNow();
      })
      .catch(() => {});
  }

  function endSampling(): void {
    sampling?.then((begun) => begun.abandon()).catch(() => {});
    sampling = undefined;
    before = undefined;
    sampledAt = Number.NEGATIVE_INFINITY;
  }

  /** Who has most of the container's memory, looked at once a second while it is short. */
  function largest(): Neighbour | undefined {
    const now = performance.now();
    short ??= { here: [], at: Number.NEGATIVE_INFINITY, woken: new Set() };
    if (now - short.at >= lookMs) short = { ...short, here: nodesHere(), at: now };
    return short.here[0];
  }

  function look(watch: Watch, limit: MemoryLimit | null): void {
    const pressure = gauge.read(watch.recording, limit);
    const latest = watch.recording.latest();
    // what was recorded before it fell asleep last says nothing
    known ||= latest !== undefined && latest.at >= startedDate && (latest.mean.heapUsedBytes ?? 0) > 0;
    if (!pressure) return;
    const { kind, share, soonShare } = pressure;
    if (soonShare < endSamplingAt && sampling && !recording) endSampling();
    if (share < overAt) levels.set(kind, 0);
    if (soonShare < sampleAt) {
      short = undefined;
      dueAt = undefined;
      return;
    }
    const most = kind === 'near-memory-limit' ? largest() : undefined;
    const isOwn = most === undefined || most.pid === process.pid;
    const asleep = isOwn ? undefined : sleeping?.find(most.pid);
    if (asleep && short && !short.woken.has(most!.pid)) {
      // it then watches itself, and samples
      short.woken.add(most!.pid);
      void asleep.resident.asleep?.wake().catch(() => {});
    }
    if (recording || !isDue(kind)) return;
    if (isOwn && !sampling && performance.now() - sampledAt >= samplingMs) startSampling();
    const level = recordAt.filter((at) => soonShare >= at).length;
    if (level <= (levels.get(kind) ?? 0) || share < leastShare) return;
    dueAt ??= performance.now();
    if (!isOwn && performance.now() - dueAt < graceMs) return;
    dueAt = undefined;
    levels.set(kind, level);
    // of one that could not be woken this is all there is
    record(watch, pressure, asleep).catch(() => {});
  }

  const isDue = (kind: ShortageKind): boolean => Date.now() - newest.of(kind) >= pauseMs;

  const looksYet = () => !known && performance.now() - startedAt < unknownMs;
  return { look, busy: () => recording || sampling !== undefined || looksYet() };
}

function summary(
  { kind, usedBytes, limitBytes, whole, share }: Pressure,
  here: readonly Neighbour[],
  pid: number,
): string {
  const used = `${bytesShort(usedBytes)}, ${percent(share)} of`;
  const limit = `limit of ${bytesShort(limitBytes)}`;
  if (kind === 'near-heap-limit') return `the V8 heap is ${used} the heap ${limit}`;
  if (!whole) return `resident memory is ${used} the container's ${limit}`;
  const mine = here.find((one) => one.pid === pid);
  const [most] = here;
  const share_ = mine ? `; ${bytesShort(mine.rssBytes)} are resident here` : '';
  const other = most && most.pid !== pid ? `, most in process ${most.pid}: ${bytesShort(most.rssBytes)}` : '';
  return `the container's memory is ${used} its ${limit}${share_}${other}`;
}

/** When the newest record of a kind was kept, by any process. */
function newestRecords(kept: Kept) {
  const own = new Map<ShortageKind, number>();
  let seen: { at: number; of: Map<ShortageKind, number> } = { at: Number.NEGATIVE_INFINITY, of: new Map() };
  return {
    of(kind: ShortageKind): number {
      if (performance.now() - seen.at >= lookMs) seen = { at: performance.now(), of: new Map() };
      let found = seen.of.get(kind);
      if (found === undefined) {
        const [newest] = kept.list().filter(({ name }) => name.includes(`-${kind}-`) && /-\d+\.json$/.test(name));
        found = newest ? Date.parse(newest.at) : 0;
        seen.of.set(kind, found);
      }
      return Math.max(found, own.get(kind) ?? 0);
    },
    noted: (kind: ShortageKind): void => void own.set(kind, Date.now()),
  };
}
