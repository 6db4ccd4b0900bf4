import type { SocketInfo } from '../../protocol/replies.ts';
import { counted, duration } from '../../protocol/text/quantities.ts';
import { type Flight, flightsOf, mostOf } from '../evidence/flights.ts';
import { finding, type Rule } from '../finding.ts';

const least = 3;

export const outboundStuck: Rule = {
  id: 'outbound-stuck',
  passed: 'no upstream keeps requests waiting',
  needs: ['waits'],
  thresholds: `≥ ${least} outgoing requests to one peer were under way at the begin of the look and still are at its end`,
  find(e) {
    const outgoing = flightsOf(e.case).stuck.filter(
      ({ direction, state }) => direction === 'outgoing' && state !== 'queued',
    );
    const most = groupOf(outgoing, e.sockets);
    if (!most || most.count < least) return null;
    const [first] = most.items;
    const age = Math.max(...most.items.map(({ ageMs }) => ageMs));
    const call = mostOf(most.items, ({ method, path }) => `${method} ${path}`)!;
    const requests = `${counted(most.count, 'request')} to ${most.name} (${call.name})`;
    const unread = unreadOf(most.items, most.name, e.sockets);
    return finding('outbound-stuck', {
      weight: 0.82 + Math.min(0.1, most.count / 1_000),
      sentence: unread
        ? `answers are not read to their end: ${requests} got one that begins, the oldest at least ${duration(age)} ago; ${unread.queued > 0 ? `bytes of ${unread.queued} wait in their sockets, and ` : ''}each holds a connection`
        : `an upstream does not answer: ${requests} wait, the oldest for at least ${duration(age)}`,
      place: `${first!.host ?? ''}${first!.host && first!.remote ? ' ' : ''}${first!.remote ?? ''}`,
      certainty: unread && unread.queued < least ? 'likely' : 'certain',
      against: [
        unread && unread.queued < least
          ? 'an upstream that pauses in its answer, and a stream that is meant to stay open, look like this'
          : 'a request that is meant to stay open (long polling, a stream) looks like this',
      ],
      next: 'waits TARGET',
      remedy: unread
        ? 'Read every answer (text(), json(), resume()) or cancel it (body.cancel(), destroy()), those whose status is all that matters too.'
        : 'Give outgoing requests a timeout (AbortSignal.timeout), look at the upstream, and fail fast while it is down.',
      figures: { stuck: most.count, oldestMs: Math.round(age) },
    });
  },
};

/** Where most have the head of an answer: how many sockets to the peer hold bytes that nobody reads. */
function unreadOf(flights: readonly Flight[], peer: string, sockets: readonly SocketInfo[]): { queued: number } | null {
  const receiving = flights.filter(({ state }) => state === 'receiving');
  if (receiving.length < flights.length * 0.6) return null;
  const holding = sockets.filter(({ remote, queued }) => remote === peer && (queued ?? 0) > 0);
  return { queued: Math.min(flights.length, holding.length) };
}

/**
 * By peer. A process that asks itself, as tests and gateways do, has both ends of a request: others go first, and of its own the
 * one that began last, for which those before it wait.
 */
function groupOf(outgoing: readonly Flight[], sockets: readonly SocketInfo[]) {
  const own = new Set(sockets.flatMap(({ state, local }) => (state === 'LISTEN' ? [portOf(local)] : [])));
  const others = outgoing.filter((flight) => !own.has(portOf(peerOf(flight))));
  if (others.length >= least) return mostOf(others, peerOf);
  const peers = [...new Set(outgoing.map(peerOf))];
  const last = peers.findLast((peer) => outgoing.filter((flight) => peerOf(flight) === peer).length >= least);
  return mostOf(
    outgoing.filter((flight) => peerOf(flight) === last),
    peerOf,
  );
}

function portOf(address: string): string {
  return /:(\d+)$/.exec(address)?.[1] ?? '';
}

function peerOf({ host, remote }: Flight): string {
  return remote ?? host ?? 'an unknown peer';
}
