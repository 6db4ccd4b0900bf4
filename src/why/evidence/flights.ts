/** Requests that were under way at the first list of the look and still are at the last: the same on the same socket. */
import type { RequestInFlight, RequestState } from '../../protocol/requests.ts';
import type { Wait } from '../../protocol/waits.ts';
import type { Case } from '../case.ts';

type Socket = Wait & { kind: 'socket' };

export interface Flight {
  readonly direction: 'incoming' | 'outgoing';
  readonly method: string;
  readonly path: string;
  readonly host: string | null;
  readonly remote: string | null;
  /** Null where only sockets are listed. */
  readonly state: RequestState | null;
  /** At least. */
  readonly ageMs: number;
}

export interface Flights {
  /** Under way at the last list. */
  readonly now: readonly Flight[];
  /** Those that were there at the first list, too. */
  readonly stuck: readonly Flight[];
}

export function flightsOf(c: Case): Flights {
  return fromRequests(c) ?? fromSockets(c);
}

/** A request that is older than this, and was there at both lists, is stuck: long before a client's own timeout. */
const stuckMs = 4_000;

function fromRequests({ requests }: Case): Flights | null {
  const [first, last] = [requests[0], requests.at(-1)];
  if (!first || !last) return null;
  const spanMs = last.atMs - first.atMs;
  const key = ({ direction, method, path, peer, host }: RequestInFlight) =>
    `${direction} ${method} ${path} ${peer} ${host}`;
  const before = new Map<string, number>();
  for (const flight of first.reply.inFlight) before.set(key(flight), (before.get(key(flight)) ?? 0) + 1);
  const all = last.reply.inFlight.map((flight) => {
    const left = before.get(key(flight)) ?? 0;
    before.set(key(flight), left - 1);
    const there = requests.length > 1 && left > 0;
    const ageMs = Math.max(flight.ageMs ?? 0, there && flight.peer !== null ? spanMs : 0);
    const { direction, method, route: path, host, peer: remote, state } = flight;
    return { direction, method, path, host, remote, state, ageMs };
  });
  return { now: all, stuck: all.filter(({ ageMs }) => ageMs >= stuckMs) };
}

function fromSockets({ waits }: Case): Flights {
  const [first, last] = [waits[0], waits.at(-1)];
  if (!first || !last) return { now: [], stuck: [] };
  const before = new Map(sockets(first.reply.waits).map((socket) => [keyOf(socket), socket]));
  const spanMs = last.atMs - first.atMs;
  const now = sockets(last.reply.waits).map((socket) => {
    const known = waits.length > 1 && before.has(keyOf(socket));
    return { flight: flightOf(socket, known ? spanMs : 0), known };
  });
  return { now: now.map(({ flight }) => flight), stuck: now.filter(({ known }) => known).map(({ flight }) => flight) };
}

function sockets(waits: readonly Wait[]): Socket[] {
  return waits.filter((wait): wait is Socket => wait.kind === 'socket' && wait.http !== null);
}

function keyOf({ local, remote, http }: Socket): string {
  return `${local} ${remote} ${http!.direction} ${http!.method} ${http!.path}`;
}

function flightOf({ remote, http, ageMs }: Socket, spanMs: number): Flight {
  const { direction, method, path, host } = http!;
  return { direction, method, path, host, remote, state: null, ageMs: Math.max(ageMs ?? 0, spanMs) };
}

/** The largest group by a name, with its share. */
export function mostOf<T>(
  items: readonly T[],
  name: (item: T) => string,
): { name: string; count: number; items: T[] } | null {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(name(item), [...(groups.get(name(item)) ?? []), item]);
  const [most] = [...groups].toSorted((a, b) => b[1].length - a[1].length);
  return most ? { name: most[0], count: most[1].length, items: most[1] } : null;
}
