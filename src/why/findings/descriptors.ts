import { finding, type Rule } from '../finding.ts';

const near = 0.8;

const advice = {
  next: 'process TARGET',
  remedy:
    'Close what is opened (in finally, or by pipeline), bound how much is open at a time; raise the limit only if this much is needed.',
};

/** Where it had reached its limit before anybody asked, what can be opened no more is the file that tells the limit. */
const exhausted = finding('descriptors', {
  weight: 0.8,
  sentence: 'file descriptors have run out (EMFILE): nothing can be opened or accepted until something is closed',
  place: 'descriptor limit',
  certainty: 'certain',
  ...advice,
});

export const descriptors: Rule = {
  id: 'descriptors',
  passed: 'file descriptors are far from their limit',
  needs: ['stats'],
  thresholds: `≥ ${near * 100} % of the limit (RLIMIT_NOFILE) are open`,
  find({ case: { moments }, sockets }) {
    const known = moments.flatMap(({ stats }) =>
      stats.descriptors?.open && stats.descriptors.limit ? [stats.descriptors] : [],
    );
    const last = known.at(-1);
    if (!last && moments.some(({ stats }) => stats.descriptors?.exhausted)) return exhausted;
    if (!last?.open || !last.limit || last.open < last.limit * near) return null;
    const grown = last.open - (known[0]!.open ?? last.open);
    const open =
      sockets.length >= last.open / 2
        ? `${sockets.length} of them sockets`
        : `${sockets.length} of them sockets, the others files or pipes`;
    return finding('descriptors', {
      weight: 0.76,
      sentence: `file descriptors run out: ${last.open} of ${last.limit} are open, ${open}${grown > 0 ? `; ${grown} more during the look` : ''}; at the limit nothing can be opened or accepted`,
      place: `descriptor limit ${last.limit}`,
      certainty: 'certain',
      ...advice,
      figures: { open: last.open, limit: last.limit, grown },
    });
  },
};
