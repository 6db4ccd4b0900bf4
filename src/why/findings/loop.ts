/** What findings about the main thread's time have alike: how much it costs, since when, whether it comes in step. */
import { markOf } from '../../protocol/figures.ts';
import { duration } from '../../protocol/text/quantities.ts';
import type { Reading } from '../case.ts';
import type { Evidence } from '../evidence/evidence.ts';
import { callerOf, functionKey, placeOf } from '../evidence/frames.ts';
import type { Kind } from '../evidence/kinds.ts';
import { periodOf } from '../evidence/period.ts';
import type { Work } from '../evidence/work.ts';
import { type Finding, finding, type Rule } from '../finding.ts';

/** A callback that runs for longer is felt by everybody who waits: the recorder's own threshold for a stall. */
export const blockedMs = 150;
/** A loop that is busy for more of the time has a queue before it. */
export const saturated = markOf('utilization');
/** What takes less of the time explains little. */
const leastShare = 0.05;
const saturatedShare = 0.25;
/** Where the main thread gets less of a CPU than this share of what it wants, a function is slow for others’ sake: unless it is so often, or for so long. */
const leastServed = 0.6;
const oftenStretches = 4;
const surelyMs = 1_500;

export interface Cost {
  readonly share: number;
  readonly worstMs: number;
  readonly blocks: boolean;
  readonly level: Finding['level'];
  readonly weight: number;
}

/** What some work costs; null where it harms nobody. */
export function costOf(e: Evidence, works: readonly Work[]): Cost | null {
  const share = Math.min(
    1,
    works.reduce((sum, work) => sum + work.share, 0),
  );
  // what it waited for a CPU is not the function's time
  const sleeps = works[0]?.kind === 'child' || works[0]?.kind === 'wait' || works[0]?.kind === 'fs';
  const worstMs = Math.max(0, ...works.map((work) => work.worstMs)) * (sleeps ? 1 : e.served);
  // the less CPU it gets, the less a length of time says of a function; a call that is known to block does
  // a pattern that V8 does not name is only a guess from the source line
  const guessed =
    works[0]?.kind === 'function' || (works[0]?.kind === 'regex' && works[0].call?.startsWith('.') === true);
  const starved = guessed && e.served < leastServed;
  // callbacks that waited for a CPU run in one go: those of several functions are then no sign
  const stretches = works.map((work) => work.stretches);
  const often =
    (starved ? Math.max(0, ...stretches) : stretches.reduce((sum, each) => sum + each, 0)) >= oftenStretches;
  const least = guessed && !often ? blockedMs / Math.max(0.25, e.served) : blockedMs;
  const blocks = worstMs >= least && share >= leastShare && (!starved || often || worstMs >= surelyMs);
  // a loop that gets no CPU is full whatever it does
  const fills = e.busy >= saturated && share >= saturatedShare && e.served >= 0.5;
  if (!blocks && !fills) return null;
  // nobody waits for a batch job: that it works is no fault
  const level = e.serves ? 'finding' : 'note';
  return {
    share,
    worstMs,
    blocks,
    level,
    weight: Math.min(0.97, 0.3 + 0.6 * share + 0.1 * Math.min(1, worstMs / 2_000)),
  };
}

/** `91% of the time, up to 1.42s at once`. */
export function costText({ share, worstMs }: Cost): string {
  const most = worstMs >= 100 ? `, up to ${duration(worstMs)} at once` : '';
  return `${Math.max(1, Math.round(share * 100))}% of the time${most}`;
}

export interface LoopWords {
  readonly id: string;
  readonly kinds: readonly Kind[];
  readonly passed: string;
  /** What it is, in front of its cost. */
  sentence(top: Work, place: string): string;
  readonly next: string;
  readonly remedy: string;
  readonly needs?: readonly Reading[];
}

export const loopThresholds = `a callback of ≥ ${blockedMs} ms that it is most of and ≥ ${leastShare * 100} % of the time, or ≥ ${saturatedShare * 100} % of the time of a loop that is busy for ≥ ${saturated * 100} %`;

/** A rule about kinds of work that belong off the main thread, or nowhere. */
export function loopRule({ id, kinds, passed, sentence, next, remedy, needs = ['stack'] }: LoopWords): Rule {
  return {
    id,
    passed,
    needs,
    thresholds: loopThresholds,
    find(e) {
      const works = e.work.filter(({ kind, caller }) => kinds.includes(kind) && caller !== null);
      const [top] = works;
      const cost = costOf(e, works);
      if (!top?.caller || !cost) return null;
      return loopFinding(e, top, cost, { id, sentence: sentence(top, placeOf(top.caller)), next, remedy });
    },
  };
}

/** With its period, and since when, from what the recorder kept. */
export function loopFinding(
  e: Evidence,
  top: Pick<Work, 'caller' | 'frames' | 'call'>,
  cost: Cost,
  { id, sentence, next, remedy }: Pick<Finding, 'id' | 'sentence' | 'next' | 'remedy'>,
): Finding {
  const caller = top.caller!;
  const period = periodOf(e.case, caller);
  const every = period ? `, every ${duration(period.periodMs)}` : '';
  return finding(id, {
    level: cost.level,
    weight: cost.weight,
    sentence: `${sentence}: ${costText(cost)}${every}`,
    place: placeOf(caller),
    frames: top.frames.slice(top.frames.indexOf(caller)),
    certainty: cost.share >= 0.3 || cost.worstMs >= 300 ? 'certain' : 'likely',
    since: period?.since ?? sinceOf(e, functionKey(caller)),
    next,
    remedy,
    figures: {
      share: cost.share,
      worstMs: Math.round(cost.worstMs),
      call: top.call,
      periodMs: period ? Math.round(period.periodMs) : null,
    },
  });
}

/** The first stall that the recorder kept of the same caller. */
export function sinceOf({ case: { past } }: Evidence, key: string): string | null {
  const own = past?.stalls.find(({ frames }) => {
    const caller = frames && callerOf(frames);
    return caller && functionKey(caller) === key;
  });
  return own?.at ?? null;
}
