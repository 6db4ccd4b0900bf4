/** Requests that were under way at the first list of the look and still are at the last: the same on the same socket. */
import type { Wait } from '../../protocol/waits.ts';
import type { Case } from '../case.ts';

type Socket = Wait & { kind: 'socket' };

export interface Flight {
  readonly direction: 'incoming' | 'outgoing';
  readonly method: string;
  readonly path: string;
  readonly host: string | null;
  readonly remote: string | null;
  /** At least. */
  readonly ageMs: number;
}

export interface Flights {
  /** Under way at the last list. */
  readonly now: readonly Flight[];
  /** Those that were there at the first list, too. */
  readonly stuck: readonly Flight[];
}

export function flightsOf({ waits }: Case): Flights {
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
  return { direction, method, path, host, remote, ageMs: Math.max(ageMs ?? 0, spanMs) };
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
