/** How close memory is to its limits: the V8 heap to its own, and what the container may have. */
import { type MemoryLimit, workingSetNow } from '../../proc/cgroup.ts';
import type { Recording } from '../recorder/recording.ts';
import { aheadSeconds } from './shares.ts';

export type ShortageKind = 'near-heap-limit' | 'near-memory-limit';

const paceMs = 1_000;
/** The container's files are read with each look from this share on, else once a second. */
const closeShare = 0.5;

export interface Pressure {
  readonly kind: ShortageKind;
  readonly usedBytes: number;
  readonly limitBytes: number;
  /** Of the limit, at this moment. */
  readonly share: number;
  /** Of the limit, two seconds from now. */
  readonly soonShare: number;
  /** Whether all processes of the container have that together, or this one alone. */
  readonly whole: boolean;
}

export interface PressureGauge {
  /** The one that is most pressing; undefined where no limit is known. */
  read(recording: Recording, limit: MemoryLimit | null): Pressure | undefined;
}

export function pressureGauge(): PressureGauge {
  const heap = paced();
  const own = paced();
  const container = paced();
  let working: { at: number; bytes: number | null } = { at: Number.NEGATIVE_INFINITY, bytes: null };
  return {
    read(recording, limit) {
      const now = performance.now();
      const figures = recording.latest()?.mean ?? {};
      const found = [
        heap(now, 'near-heap-limit', figures.heapUsedBytes ?? Number.NaN, recording.get('heapLimitBytes'), false),
      ];
      if (limit) {
        const { limitBytes } = limit;
        // of the kernel, not of the last sample: a main thread that allocates without a break takes none
        found.push(own(now, 'near-memory-limit', process.memoryUsage.rss(), limitBytes, false));
        if ((working.bytes ?? 0) / limitBytes >= closeShare || now - working.at >= paceMs)
          working = { at: now, bytes: workingSetNow(limit) };
        found.push(container(now, 'near-memory-limit', working.bytes ?? Number.NaN, limitBytes, true));
      }
      return found
        .filter((one) => one !== undefined)
        .reduce<Pressure | undefined>((most, one) => (most && most.soonShare >= one.soonShare ? most : one), undefined);
    },
  };
}

/** Follows one figure, and what it gained within the last second. */
function paced() {
  let before: { at: number; bytes: number }[] = [];
  return (
    now: number,
    kind: ShortageKind,
    usedBytes: number,
    limitBytes: number,
    whole: boolean,
  ): Pressure | undefined => {
    if (!(usedBytes > 0 && limitBytes > 0)) return undefined;
    // the youngest that is a second old is the measure
    const old = before.findLastIndex(({ at }) => now - at >= paceMs);
    before = [...before.slice(Math.max(0, old)), { at: now, bytes: usedBytes }];
    const gained = Math.max(0, usedBytes - before[0]!.bytes);
    const share = usedBytes / limitBytes;
    return { kind, usedBytes, limitBytes, whole, share, soonShare: share + (gained * aheadSeconds) / limitBytes };
  };
}
