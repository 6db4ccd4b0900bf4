/** The processes seen here, as the agent's server takes them. */

import type { Resident } from '../../agent/resident.ts';
import { startTicks } from '../../proc/identity.ts';
import { type Found, findNodes } from './find.ts';
import type { Lines } from './lines.ts';

/** A list is good for so long: one command asks several times. */
const freshMs = 250;

export class Residents {
  readonly #lines: Lines;
  readonly #own: string | null;
  readonly #target: string | null;
  /** One object for each process as long as it lives: what was last known of it is kept by it. */
  readonly #known = new Map<string, Resident>();
  #lookedAt = Number.NEGATIVE_INFINITY;

  /** `own` names the container whose file system this process shares, `target` the one whose pid namespace it was put into. */
  constructor(lines: Lines, own: string | null, target: string | null) {
    this.#lines = lines;
    this.#own = own;
    this.#target = target;
  }

  all(): Resident[] {
    if (performance.now() - this.#lookedAt > freshMs) this.#look();
    return [...this.#known.values()];
  }

  #look(): void {
    const found = new Map(findNodes(this.#own, this.#target).map((one) => [`${one.info.pid} ${one.startTicks}`, one]));
    for (const key of this.#known.keys()) if (!found.has(key)) this.#known.delete(key);
    for (const [key, one] of found) {
      const known = this.#known.get(key);
      this.#known.set(key, this.#resident(one, known));
    }
    this.#lookedAt = performance.now();
  }

  #resident({ info, version, startTicks: ticks }: Found, known: Resident | undefined): Resident {
    const { pid } = info;
    return {
      info,
      version,
      asleep: known?.asleep ?? {
        heapLimitBytes: null,
        wake: () => Promise.resolve(undefined),
        ownsSigusr1: () => false,
        isItself: () => startTicks(pid) === ticks,
        open: () => this.#lines.open({ pid, startTicks: ticks }),
      },
    };
  }
}
