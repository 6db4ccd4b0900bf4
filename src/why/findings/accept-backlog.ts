import { counted } from '../../protocol/text/quantities.ts';
import { finding, type Rule } from '../finding.ts';

const least = 10;
/** A burst of clients is less. */
const leastWaiting = 64;
const mostBusy = 0.8;

export const acceptBacklog: Rule = {
  id: 'accept-backlog',
  passed: 'connections are accepted at once',
  needs: ['process'],
  thresholds: `≥ ${least} connections wait to be accepted on one port at the begin and at the end of the look; a note where they are fewer than ${leastWaiting} or the loop is busy for ≥ ${mostBusy * 100} % of the time`,
  find({ busy, case: { sockets, subject } }) {
    const own = new Set(subject.ownPorts);
    const lists = sockets.map(({ reply }) =>
      reply.filter(
        ({ state, local, queued = 0 }) =>
          state === 'LISTEN' && queued >= least && !own.has(Number(local.split(':').at(-1))),
      ),
    );
    const lasting = (lists.at(-1) ?? []).filter(({ local }) =>
      lists.every((list) => list.some((of) => of.local === local)),
    );
    const [worst] = lasting.toSorted((a, b) => (b.queued ?? 0) - (a.queued ?? 0));
    if (lists.length < 2 || !worst) return null;
    // a busy loop accepts in turns
    const explained = busy >= mostBusy || (worst.queued ?? 0) < leastWaiting;
    return finding('accept-backlog', {
      level: explained ? 'note' : 'finding',
      weight: 0.55,
      sentence: `${counted(worst.queued ?? 0, 'connection')} wait to be accepted on ${worst.local}: clients are connected by the kernel and nobody reads what they send`,
      place: worst.local,
      certainty: 'certain',
      against: ['it is what a blocked or overloaded loop looks like from outside: the cause may be told above'],
      next: 'stack TARGET',
      remedy:
        'Find what keeps the loop from accepting (a blocked loop, no descriptors left, server.maxConnections), then add replicas.',
      figures: { queued: worst.queued ?? 0 },
    });
  },
};
