import { counted } from '../../protocol/text/quantities.ts';
import { finding, type Rule } from '../finding.ts';

const least = 10;

export const closeWait: Rule = {
  id: 'close-wait',
  passed: 'no connection is left half closed',
  needs: ['process'],
  thresholds: `≥ ${least} sockets in CLOSE_WAIT at the begin of the look that still are at its end`,
  find(e) {
    const halves = e.case.sockets.map(({ reply }) => reply.filter(({ state }) => state === 'CLOSE_WAIT'));
    const before = new Set(halves[0]?.map(({ local, remote }) => `${local} ${remote}`));
    const now = e.sockets.filter(({ state }) => state === 'CLOSE_WAIT');
    const stayed = now.filter(({ local, remote }) => before.has(`${local} ${remote}`));
    if (halves.length < 2 || stayed.length < least) return null;
    const places = new Map<string, number>();
    for (const { local, remote } of now) {
      const listens = e.sockets.some((socket) => socket.state === 'LISTEN' && portOf(socket.local) === portOf(local));
      const name = listens ? `accepted on port ${portOf(local)}` : `to ${remote ?? 'an unknown peer'}`;
      places.set(name, (places.get(name) ?? 0) + 1);
    }
    const [place] = [...places].toSorted((a, b) => b[1] - a[1])[0]!;
    const grown = now.length - before.size;
    return finding('close-wait', {
      weight: 0.74 + Math.min(0.1, now.length / 2_000),
      sentence: `peers have hung up and this side never closed: ${counted(now.length, 'socket')} in CLOSE_WAIT, most of them ${place}${grown > 0 ? `; ${grown} more during the look` : ''}`,
      place,
      certainty: 'certain',
      next: 'process TARGET',
      remedy:
        'End each socket on its end event (or leave allowHalfOpen off), destroy it on errors, and read what is received: an unread socket never ends.',
      figures: { count: now.length, grown },
    });
  },
};

function portOf(address: string): string {
  return /:(\d+)$/.exec(address)?.[1] ?? '';
}
