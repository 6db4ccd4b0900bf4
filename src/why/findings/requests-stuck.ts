import { counted, duration } from '../../protocol/text/quantities.ts';
import { flightsOf, mostOf } from '../evidence/flights.ts';
import { finding, type Rule } from '../finding.ts';

const least = 3;

export const requestsStuck: Rule = {
  id: 'requests-stuck',
  passed: 'no request is stuck',
  needs: ['waits'],
  thresholds: `≥ ${least} incoming requests that were under way at the begin of the look still are at its end, with the loop busy for less than 80 % of the time`,
  find(e) {
    if (e.busy >= 0.8) return null;
    const { stuck, now } = flightsOf(e.case);
    const waiting = stuck.filter(({ direction }) => direction === 'incoming');
    if (waiting.length < least) return null;
    const most = mostOf(waiting, ({ method, path }) => `${method} ${path}`)!;
    const incoming = now.filter(({ direction }) => direction === 'incoming').length;
    const age = Math.max(...waiting.map(({ ageMs }) => ageMs));
    const outgoing = now.some(({ direction }) => direction === 'outgoing');
    return finding('requests-stuck', {
      weight: 0.6 + 0.15 * Math.min(1, waiting.length / Math.max(1, incoming)),
      sentence: `${counted(waiting.length, 'request')} of ${incoming} under way are stuck, the oldest for at least ${duration(age)}: ${most.count} × ${most.name}; the event loop is free${outgoing ? '' : ', and no outgoing request is under way: they wait for something that will not come (a pool without a free client, a lock, a promise nobody settles)'}`,
      place: most.name,
      certainty: 'likely',
      against: ['long polling and event streams look like this, too'],
      next: 'waits TARGET',
      remedy:
        'Find what the handler awaits, and give each wait a timeout; release locks and pooled clients in finally.',
      figures: { stuck: waiting.length, underWay: incoming, oldestMs: Math.round(age) },
    });
  },
};
