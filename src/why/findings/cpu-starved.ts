import { percent } from '../../protocol/text/quantities.ts';
import { finding, type Rule } from '../finding.ts';

const noted = 0.3;
const starved = 0.6;

export const cpuStarved: Rule = {
  id: 'cpu-starved',
  passed: 'the main thread gets a CPU when it wants one',
  needs: ['stats'],
  thresholds: `of the time in which the main thread could run it waited for a CPU for ≥ ${noted * 100} % (note), ≥ ${starved * 100} % with a loop busy for ≥ 90 % (finding)`,
  find(e) {
    const waits = 1 - e.served;
    const main = e.case.moments.at(-1)?.stats.cpu;
    if (!main || waits < noted || e.busy < 0.2) return null;
    const { pressure } = e.case.moments.at(-1)!.stats;
    const stalls = pressure?.cpu ? ` (CPU pressure of the ${pressure.of} ${percent(pressure.cpu / 100)})` : '';
    const throttled = (main.quota ?? main.online) < main.online;
    return finding('cpu-starved', {
      level: e.serves && waits >= starved && e.busy >= 0.9 ? 'finding' : 'note',
      weight: 0.1 + 0.2 * waits,
      sentence: `the main thread wants to run and gets no CPU for ${percent(waits)} of that time: ${throttled ? 'the container’s limit, or ' : ''}other processes take the node’s ${main.online} CPUs${stalls}`,
      place: null,
      certainty: 'likely',
      next: 'top TARGET --once',
      remedy: 'Raise the CPU request (it is the share under contention), or move noisy neighbours away.',
      figures: { waitingShare: waits, online: main.online },
    });
  },
};
