import { markOf } from '../../protocol/figures.ts';
import { percent } from '../../protocol/text/quantities.ts';
import { finding, type Rule } from '../finding.ts';

const least = markOf('throttled');

export const cpuThrottled: Rule = {
  id: 'cpu-throttled',
  passed: 'the CPU limit does not hold it back',
  needs: ['stats'],
  thresholds: `the cgroup’s quota held it back for ≥ ${least * 100} % of the look`,
  find({ case: { moments } }) {
    const known = moments.filter(({ stats }) => stats.cpu.throttledSeconds !== null);
    const [first, last] = [known[0], known.at(-1)];
    if (!first || !last || last.atMs - first.atMs < 500) return null;
    const throttled = last.stats.cpu.throttledSeconds! - first.stats.cpu.throttledSeconds!;
    const share = Math.min(1, throttled / ((last.atMs - first.atMs) / 1000));
    if (share < least) return null;
    const { quota } = last.stats.cpu;
    return finding('cpu-throttled', {
      weight: 0.55 + 0.4 * share,
      sentence: `the container’s CPU limit holds it back: throttled for ${percent(share)} of the time at a limit of ${quota} CPU`,
      place: `CPU limit ${quota}`,
      certainty: 'certain',
      next: 'top TARGET --once',
      remedy:
        'Raise or remove the CPU limit (requests keep the share), or run more replicas; then look at what takes the CPU.',
      figures: { throttledShare: share, quota },
    });
  },
};
