import { duration } from '../../protocol/text/quantities.ts';
import { finding, type Rule } from '../finding.ts';

const leastJumpMs = 2_000;
const leastApartMs = 60_000;

export const clock: Rule = {
  id: 'clock',
  passed: 'its clock does not jump',
  needs: ['stats'],
  thresholds: `the process’s clock and that of who looks come ≥ ${leastJumpMs / 1000} s nearer or further from one another during the look (finding), or are ≥ ${leastApartMs / 1000} s apart (note)`,
  find({ case: { moments } }) {
    const ahead = moments.flatMap(({ clockAheadMs }) => clockAheadMs ?? []);
    // a reply that comes late makes a clock look slow for a moment: what stays is told
    if (ahead.length < 3) return null;
    const [first, last] = [Math.max(...ahead.slice(0, 2)), Math.max(...ahead.slice(-2))];
    const jump = last - first;
    const jumped = Math.abs(jump) >= leastJumpMs;
    if (!jumped && Math.abs(last) < leastApartMs) return null;
    return finding('clock', {
      level: jumped ? 'finding' : 'note',
      weight: jumped ? 0.5 : 0.15,
      sentence: jumped
        ? `the clock jumped ${jump > 0 ? 'forward' : 'back'} by ${duration(Math.abs(jump))} during the look`
        : `its clock is ${duration(Math.abs(last))} ${last > 0 ? 'ahead of' : 'behind'} that of the machine you look from`,
      place: 'clock of the process',
      certainty: jumped ? 'likely' : 'possible',
      against: [
        jumped ? 'the clock of the machine you look from may be the one that jumped' : 'either of the two may be wrong',
      ],
      next: 'process TARGET',
      remedy:
        'Look at time synchronisation of the node (chrony, systemd-timesyncd); measure durations with performance.now, not Date: tokens, cron and caches go by the clock.',
      figures: { jumpMs: Math.round(jump), aheadMs: Math.round(last) },
    });
  },
};
