/** The processes that a sidecar answers for: a port on loopback for each, kept up to date as they come and go. */

import type { Beyond } from '../../agent/compose.ts';
import type { Listening } from '../../agent/membership/listen.ts';
import type { Resident } from '../../agent/resident.ts';
import { withAgents } from './neighbours.ts';
import type { Residents } from './residents.ts';

/** How often it is looked who is there. */
const lookMs = 2_000;

interface Served {
  resident: Resident;
  readonly listening: Listening;
}
type Parts = Parameters<Beyond['start']>[0];

export class PodProcesses implements Beyond {
  readonly #residents: Residents;
  /** By what is the same for a process as long as it lives. */
  readonly #served = new Map<object, Served>();
  #usedAt = performance.now();

  /** What containers have kept, by name or of all. */
  readonly stores: Beyond['stores'];

  constructor(residents: Residents, stores: Beyond['stores']) {
    this.#residents = residents;
    this.stores = stores;
  }

  start(parts: Parts): void {
    const look = () => {
      this.#look(parts)
        .catch(() => {})
        .finally(() => setTimeout(look, lookMs));
    };
    look();
  }

  all(): readonly Resident[] {
    return [...this.#served.values()].map(({ resident }) => resident).filter(({ info }) => info.port !== 0);
  }

  used(): void {
    this.#usedAt = performance.now();
  }

  /** Milliseconds since somebody asked. */
  idleMs(): number {
    return performance.now() - this.#usedAt;
  }

  async #look({ open, agents }: Parts): Promise<void> {
    const seen = this.#residents.all();
    const known = await withAgents(
      seen.map(({ info }) => info),
      await agents(),
    );
    const now = new Map(seen.filter(({ info }) => !known.has(info.pid)).map((one) => [one.asleep as object, one]));
    for (const [key, { listening }] of this.#served) {
      if (now.has(key)) continue;
      this.#served.delete(key);
      listening.close();
    }
    for (const [key, resident] of now) {
      const served = this.#served.get(key);
      const listening = served?.listening ?? open(() => this.#served.get(key)?.resident ?? resident);
      if (!listening) continue;
      this.#served.set(key, { resident: { ...resident, info: { ...resident.info, port: listening.port } }, listening });
    }
  }
}
