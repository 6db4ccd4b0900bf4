/** Whether stalls of one caller come in step. */
import type { Frame } from '../../protocol/replies.ts';
import type { Case } from '../case.ts';
import { callerOf, functionKey } from './frames.ts';

export interface Period {
  readonly periodMs: number;
  readonly count: number;
  readonly worstMs: number;
  /** ISO 8601, the first that was kept. */
  readonly since: string;
}

const leastPeriodMs = 900;
const leastCount = 4;
/** How far a distance may be from the middle one. */
const slack = 0.1;

/** Null where there are fewer than four, or they keep no step. */
export function periodOf({ past }: Case, caller: Frame): Period | null {
  const key = functionKey(caller);
  const own = (past?.stalls ?? []).filter(({ frames }) => {
    const own = frames && callerOf(frames);
    return own && functionKey(own) === key;
  });
  if (own.length < leastCount) return null;
  const times = own.map(({ at }) => Date.parse(at));
  const distances = times.slice(1).map((time, index) => time - times[index]!);
  const middle = distances.toSorted((a, b) => a - b)[distances.length >> 1]!;
  // one may have been missed: twice the distance is in step too
  const inStep = distances.filter((distance) => {
    const turns = Math.max(1, Math.round(distance / middle));
    return Math.abs(distance - turns * middle) <= middle * slack;
  });
  if (middle < leastPeriodMs || inStep.length < distances.length * 0.8) return null;
  return {
    periodMs: middle,
    count: own.length,
    worstMs: Math.max(...own.map(({ durationMs }) => durationMs)),
    since: own[0]!.at,
  };
}
