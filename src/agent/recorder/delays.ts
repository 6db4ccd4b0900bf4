/**
 * Delays of the event loop from the lengths of its turns, each with its weight in time: by how much an event waits that comes at any moment. A turn
 * of 500 ms stands for all that came while it lasted, and each of them waited for what was left (src/inspect/delays.ts).
 */
import { timerMs } from '../../inspect/counters.ts';

/** Turns of one length, in milliseconds, and how many. */
export type Turns = readonly (readonly [ms: number, count: number])[];
/** A delay, and how many steps of time it stands for. */
type Weighed = readonly [delayMs: number, weight: number];

const stepMs = 10;
/** Steps that one turn is divided into, at most. */
const stepsLimit = 500;
/** Seconds that are kept. */
const secondsKept = 60;

/** What a histogram's percentiles say of the values in it. `perTurn`: of turns; else of a timer, that was due every 20 ms. */
export function turnsOf(percentiles: ReadonlyMap<number, number>, count: number, perTurn: boolean): Turns {
  let below = 0;
  return [...percentiles].map(([percentile, nanoseconds]) => {
    const share = (Math.min(100, percentile) - below) / 100;
    below = Math.min(100, percentile);
    const ms = nanoseconds / 1e6;
    return [perTurn ? ms : Math.max(0, ms - timerMs), share * count] as const;
  });
}

export function weigh(turns: Turns, elapsedMs: number): Weighed[] {
  const weighed: Weighed[] = [];
  let busyMs = 0;
  for (const [ms, count] of turns) {
    if (count === 0) continue;
    busyMs += ms * count;
    const step = Math.max(stepMs, ms / stepsLimit);
    // a turn shorter than a step stands for what it is of one
    for (let left = ms; left > 0; left -= step) weighed.push([left, (count * Math.min(step, left)) / stepMs]);
  }
  weighed.push([0, Math.max(0, elapsedMs - busyMs) / stepMs]);
  return weighed;
}

export class Delays {
  #seconds: { readonly elapsedMs: number; readonly weighed: readonly Weighed[] }[] = [];

  add(turns: Turns, elapsedMs: number): void {
    this.#seconds = [...this.#seconds.slice(1 - secondsKept), { elapsedMs, weighed: weigh(turns, elapsedMs) }];
  }

  /** The delay that a share of the last time stayed below; undefined before anything is known. `more`: turns after it, of `moreMs`. */
  quantile(share: number, windowMs = Number.POSITIVE_INFINITY, more: Turns = [], moreMs = 0): number | undefined {
    const all: Weighed[] = more.length === 0 ? [] : weigh(more, moreMs);
    let coveredMs = 0;
    for (const { elapsedMs, weighed } of this.#seconds.toReversed()) {
      if (coveredMs >= windowMs) break;
      coveredMs += elapsedMs;
      all.push(...weighed);
    }
    all.sort(([one], [other]) => one - other);
    const whole = all.reduce((sum, [, weight]) => sum + weight, 0);
    let below = 0;
    for (const [delayMs, weight] of all) {
      below += weight;
      if (below >= whole * share) return delayMs;
    }
    return all.at(-1)?.[0];
  }
}
