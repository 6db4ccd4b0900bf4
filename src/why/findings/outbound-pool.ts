import { counted } from '../../protocol/text/quantities.ts';
import { finding, type Rule } from '../finding.ts';

export const leastQueued = 3;

export const outboundPool: Rule = {
  id: 'outbound-pool',
  passed: 'outgoing requests find a connection',
  needs: ['requests'],
  thresholds: `an agent or pool has all connections of its limit in use, and ≥ ${leastQueued} requests queued, at the begin and at the end of the look`,
  find({ case: { requests } }) {
    const lists = requests.map(({ reply }) => reply.pools.filter((pool) => pool.kind !== 'pool' && isFull(pool)));
    const last = lists.at(-1) ?? [];
    const lasting = last.filter((pool) =>
      lists.every((list) => list.some(({ to, kind }) => to === pool.to && kind === pool.kind)),
    );
    const [worst] = lasting.toSorted((a, b) => b.queued - a.queued);
    if (requests.length < 2 || !worst) return null;
    const oldest = requests
      .at(-1)!
      .reply.inFlight.find(({ direction, state }) => direction === 'outgoing' && state === 'queued');
    const waits = oldest?.ageMs ? `, the oldest for at least ${(oldest.ageMs / 1000).toFixed(1)}s` : '';
    return finding('outbound-pool', {
      weight: 0.86 + Math.min(0.1, worst.queued / 1_000),
      sentence: `outgoing requests wait for a connection: the ${worst.kind} to ${worst.to} has ${worst.used} of ${worst.limit} in use and ${counted(worst.queued, 'request')} queued${waits}`,
      place: `${worst.kind} ${worst.to}, limit ${worst.limit}`,
      certainty: 'certain',
      next: 'requests TARGET',
      remedy:
        'Raise maxSockets (or connections of undici’s pool), shorten what holds a connection, set timeouts, and read or cancel every response’s body.',
      figures: { used: worst.used, limit: worst.limit, queued: worst.queued },
    });
  },
};

export function isFull({ used, limit, queued }: { used: number; limit: number | null; queued: number }): boolean {
  return limit !== null && used >= limit && queued >= leastQueued;
}
