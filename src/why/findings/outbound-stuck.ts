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
    return finding('outbound-stuck', {
      weight: 0.82 + Math.min(0.1, most.count / 1_000),
      sentence: `an upstream does not answer: ${counted(most.count, 'request')} to ${most.name} (${call.name}) wait, the oldest for at least ${duration(age)}`,
      place: `${first!.host ?? ''}${first!.host && first!.remote ? ' ' : ''}${first!.remote ?? ''}`,
      certainty: 'certain',
      against: ['a request that is meant to stay open (long polling, a stream) looks like this'],
      next: 'waits TARGET',
      remedy:
        'Give outgoing requests a timeout (AbortSignal.timeout), look at the upstream, and fail fast while it is down.',
      figures: { stuck: most.count, oldestMs: Math.round(age) },
    });
  },
};

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
