/** The processes that a sidecar answers for: a port on loopback for each, kept up to date as they come and go. */
import type { Server } from 'node:net';
import type { Beyond } from '../agent/awake/keeper.ts';
import type { Front, Resident } from '../agent/awake/pod.ts';
import type { ProcessInfo } from '../protocol/replies.ts';
import { listOf, withAgents } from './neighbours.ts';
import type { Residents } from './residents.ts';

/** How often it is looked who is there. */
const lookMs = 2_000;

interface Served {
  resident: Resident;
  readonly server: Server;
}
type Parts = Parameters<Beyond['start']>[0];

export class PodProcesses implements Beyond {
  readonly #residents: Residents;
  readonly #token: string | null;
  /** By what is the same for a process as long as it lives. */
  readonly #served = new Map<object, Served>();
  #usedAt = performance.now();

  /** What containers have kept, by name or of all. */
  readonly stores: Beyond['stores'];

  constructor(residents: Residents, token: string | null, stores: Beyond['stores']) {
    this.#residents = residents;
    this.#token = token;
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

  async #look({ open, changed, agents, door }: Parts): Promise<void> {
    const seen = this.#residents.all();
    const others = await this.#agents(agents, door);
    const known = await withAgents(
      seen.map(({ info }) => info),
      others,
    );
    const now = new Map(seen.filter(({ info }) => !known.has(info.pid)).map((one) => [one.asleep as object, one]));
    let moved = false;
    for (const [key, { server }] of this.#served) {
      if (now.has(key)) continue;
      this.#served.delete(key);
      server.close();
      moved = true;
    }
    for (const [key, resident] of now) {
      const served = this.#served.get(key);
      if (served) served.resident = { ...resident, info: { ...resident.info, port: served.resident.info.port } };
      else this.#serve(key, resident, open, changed);
    }
    if (moved) changed();
  }

  /** Those that registered here, or those of the agent that this one is registered with; our own are not among them. */
  async #agents(agents: Parts['agents'], door: Parts['door']): Promise<readonly ProcessInfo[]> {
    const at = door();
    const list = at ? [...agents(), ...(await listOf(at, this.#token))] : agents();
    const own = new Set([...this.#served.values()].map(({ resident }) => resident.info.port));
    return list.filter(({ port }) => !own.has(port));
  }

  #serve(key: object, resident: Resident, open: (front: () => Front) => Server, changed: () => void): void {
    const server = open(() => this.#served.get(key)?.resident ?? resident);
    this.#served.set(key, { resident, server });
    server.on('error', () => this.#served.delete(key));
    server.listen({ host: '127.0.0.1', port: 0, exclusive: true }, () => {
      const { port } = server.address() as { port: number };
      const served = this.#served.get(key);
      if (!served) return void server.close();
      served.resident = { ...served.resident, info: { ...served.resident.info, port } };
      changed();
    });
  }
}
