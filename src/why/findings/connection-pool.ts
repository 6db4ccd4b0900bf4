import { counted, duration } from '../../protocol/text/quantities.ts';
import { flightsOf } from '../evidence/flights.ts';
import { finding, type Rule } from '../finding.ts';
import { isFull, leastQueued } from './outbound-pool.ts';

export const connectionPool: Rule = {
  id: 'connection-pool',
  passed: 'no pool of connections is empty',
  needs: ['requests'],
  thresholds: `a pool of the app or its packages has as many in use as it may have, and ≥ ${leastQueued} that wait, at the begin and at the end of the look`,
  find(e) {
    const lists = e.case.requests.map(({ reply }) =>
      reply.pools.filter((pool) => pool.kind === 'pool' && isFull(pool)),
    );
    const lasting = (lists.at(-1) ?? []).filter(({ to }) => lists.every((list) => list.some((pool) => pool.to === to)));
    const [worst] = lasting.toSorted((a, b) => b.queued - a.queued);
    if (lists.length < 2 || !worst) return null;
    const stuck = flightsOf(e.case).stuck.filter(({ direction }) => direction === 'incoming');
    const age = Math.max(0, ...stuck.map(({ ageMs }) => ageMs));
    // what waits in a batch job is its work
    const level = e.serves ? 'finding' : 'note';
    const before = lists[0]!.find(({ to }) => to === worst.to)!;
    const grown = worst.queued - before.queued;
    return finding('connection-pool', {
      level,
      weight: stuck.length > 0 ? 0.87 : 0.6,
      sentence: `everything waits for a free one of a pool: ${worst.to} has ${worst.used} of ${worst.limit} in use and ${counted(worst.queued, 'asker')} waiting${grown > 0 ? `, ${grown} more than at the begin of the look` : ''}${stuck.length > 0 ? `; ${counted(stuck.length, 'request')} stuck, the oldest for at least ${duration(age)}` : ''}`,
      place: `${worst.to}, limit ${worst.limit}`,
      certainty: stuck.length > 0 ? 'certain' : 'likely',
      against: stuck.length > 0 ? [] : ['no request is stuck: the pool may only be busy'],
      next: 'requests TARGET',
      remedy:
        'Give back what is taken in finally (also where a query fails), give the wait a timeout, shorten what is done meanwhile; raise the limit last.',
      figures: { used: worst.used, limit: worst.limit, queued: worst.queued },
    });
  },
};
