import { counted } from '../../protocol/text/quantities.ts';
import type { Case } from '../case.ts';
import { flightsOf, mostOf } from '../evidence/flights.ts';
import { type Finding, finding, type Rule } from '../finding.ts';

const least = 3;
const advice =
  'Look at the cluster’s DNS (CoreDNS, ndots: write names with a final dot), keep connections alive, cache lookups.';

export const dns: Rule = {
  id: 'dns',
  passed: 'names are looked up at once',
  needs: ['waits'],
  thresholds: `≥ ${least} lookups under way at the begin and at the end of the look, or lookups in half of libuv’s pool in most moments, or a name server asked at both ends (dns.resolve) while ≥ ${least} requests are stuck`,
  find({ case: seen }) {
    const { waits, moments } = seen;
    const lookups = waits.map(({ reply }) => reply.waits.filter((wait) => wait.kind === 'dns'));
    const pools = moments.flatMap(({ stats }) => (stats.pool && stats.pool.threads > 0 ? [stats.pool] : []));
    const held = pools.filter(({ work, threads }) => {
      const looking = work.find(({ what }) => what === 'looking up a name')?.count ?? 0;
      return looking >= Math.max(2, threads / 2);
    });
    const lasting = lookups.length > 1 && lookups.every((list) => list.length >= least);
    if (!lasting && (pools.length < 3 || held.length < pools.length * 0.6)) return unanswered(seen);
    const last = lookups.at(-1) ?? [];
    const host = mostOf(last, ({ hostname }) => hostname ?? 'unknown names');
    return finding('dns', {
      weight: 0.8,
      sentence: `name lookups are slow: ${counted(last.length, 'lookup')} under way${host ? `, most often of ${host.name}` : ''}; they hold threads of libuv’s pool until the name server answers`,
      place: host?.name ?? null,
      certainty: lasting ? 'certain' : 'likely',
      next: 'waits TARGET',
      remedy: advice,
      figures: { lookups: last.length },
    });
  },
};

const asked = /^names asked of (.+)$/;

/** Queries of dns.resolve are seen as sockets to a name server only: that they wait is told from the requests that do. */
function unanswered(seen: Case): Finding | null {
  const servers = seen.waits.map(({ reply }) =>
    reply.waits.flatMap((wait) => (wait.kind === 'dns' ? (asked.exec(wait.hostname ?? '')?.[1] ?? []) : [])),
  );
  const lasting =
    servers.length > 1 ? servers[0]!.find((name) => servers.every((list) => list.includes(name))) : undefined;
  const waiting = flightsOf(seen).stuck.filter(({ direction }) => direction === 'incoming');
  if (lasting === undefined || waiting.length < least) return null;
  return finding('dns', {
    weight: 0.8,
    sentence: `the name server ${lasting} does not answer: it was asked at the begin of the look and still is at its end, and ${counted(waiting.length, 'request')} are stuck meanwhile`,
    place: lasting,
    certainty: 'likely',
    against: ['the requests may wait for something else'],
    next: 'waits TARGET',
    remedy: advice,
    figures: { stuck: waiting.length },
  });
}
