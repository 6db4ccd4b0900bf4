import { counted } from '../../protocol/text/quantities.ts';
import { mostOf } from '../evidence/flights.ts';
import { finding, type Rule } from '../finding.ts';

const least = 3;

export const dns: Rule = {
  id: 'dns',
  passed: 'names are looked up at once',
  needs: ['waits'],
  thresholds: `≥ ${least} lookups under way at the begin and at the end of the look, or lookups in half of libuv’s pool in most moments`,
  find({ case: { waits, moments } }) {
    const lookups = waits.map(({ reply }) => reply.waits.filter((wait) => wait.kind === 'dns'));
    const pools = moments.flatMap(({ stats }) => (stats.pool && stats.pool.threads > 0 ? [stats.pool] : []));
    const held = pools.filter(({ work, threads }) => {
      const looking = work.find(({ what }) => what === 'looking up a name')?.count ?? 0;
      return looking >= Math.max(2, threads / 2);
    });
    const lasting = lookups.length > 1 && lookups.every((list) => list.length >= least);
    if (!lasting && (pools.length < 3 || held.length < pools.length * 0.6)) return null;
    const last = lookups.at(-1) ?? [];
    const host = mostOf(last, ({ hostname }) => hostname ?? 'unknown names');
    return finding('dns', {
      weight: 0.8,
      sentence: `name lookups are slow: ${counted(last.length, 'lookup')} under way${host ? `, most often of ${host.name}` : ''}; they hold threads of libuv’s pool until the name server answers`,
      place: host?.name ?? null,
      certainty: lasting ? 'certain' : 'likely',
      next: 'waits TARGET',
      remedy:
        'Look at the cluster’s DNS (CoreDNS, ndots: write names with a final dot), keep connections alive, cache lookups.',
      figures: { lookups: last.length },
    });
  },
};
