/** What a process counts of uncaught exceptions and unhandled rejections, added up over a run. */
import type { Envelope, ErrorCounts, StatsReply } from '../../../protocol/replies.ts';
import type { Figure, Missing } from './figure.ts';

export class UncaughtTally {
  #last: { since: string; count: number } | undefined;
  #readings = 0;
  #total = 0;
  #gap = false;
  #lacking: string | undefined;

  /** The readings of a run, in their order; `restarted`: of another process than the one before. */
  see({ data: { errors }, stuck }: Envelope<StatsReply>, restarted: boolean): void {
    // figures from before: the next reading has what came after them
    if (stuck) return;
    if (!errors) {
      this.#lacking =
        errors === undefined
          ? 'the agent is too old to count uncaught exceptions'
          : 'nobody counts uncaught exceptions in the process';
      return;
    }
    const now = { since: errors.since, count: countOf(errors) };
    const last = this.#last;
    if (last?.since === now.since) this.#total += now.count - last.count;
    else if (last) {
      this.#total += now.count;
      // how a process ended is another check's; of one that lives on, nobody counted for a while
      if (!restarted) this.#gap = true;
    }
    this.#last = now;
    this.#readings++;
  }

  /** How many there were between the first and the last reading. */
  result(): Figure | Missing {
    if (this.#readings < 2)
      return { missing: this.#lacking ?? 'no reading of it', inapplicable: this.#lacking !== undefined };
    return { low: this.#total, high: this.#gap ? Number.POSITIVE_INFINITY : this.#total };
  }
}

function countOf({ uncaughtExceptions, unhandledRejections }: ErrorCounts): number {
  return uncaughtExceptions.count + unhandledRejections.count;
}
