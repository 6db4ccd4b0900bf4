/** Which allocations of the look stay: those of every age. A cache that throws out, or what is not yet collected, has young ones only. */
import type { AllocationSummary } from '../case.ts';
import { type Dominant, dominantOf } from './dominant.ts';

export interface Survivors {
  readonly bytesPerSecond: number;
  /** The function that most of them are allocated below; null where there is no single one. */
  readonly dominant: Dominant | null;
}

export interface Site {
  readonly weight: number;
  readonly count: number;
  readonly frames: AllocationSummary['sites'][number]['frames'];
}

/** Sites with survivors of both of the oldest ages, with the bytes of all ages but the youngest. */
export function survivingSites({ sites }: AllocationSummary): Site[] {
  return sites.flatMap(({ byAge, frames, count }) => {
    const older = byAge.slice(0, -1);
    if (older[0] === 0 || older[1] === 0 || frames.length === 0) return [];
    return [{ weight: older.reduce((sum, bytes) => sum + bytes, 0), count, frames }];
  });
}

export function survivorsOf(allocations: AllocationSummary | null): Survivors | null {
  if (!allocations) return null;
  const sites = survivingSites(allocations);
  const bytes = sites.reduce((sum, { weight }) => sum + weight, 0);
  return { bytesPerSecond: bytes / (allocations.durationMs * 0.00075), dominant: dominantOf(sites, 0.5) };
}
