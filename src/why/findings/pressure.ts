import { percent } from '../../protocol/text/quantities.ts';
import { mean } from '../evidence/evidence.ts';
import { finding, type Rule } from '../finding.ts';

const least = { memory: 10, io: 40 } as const;
const words = { memory: 'memory', io: 'disks' } as const;

export const pressure: Rule = {
  id: 'pressure',
  passed: 'nothing waits long for memory or disks',
  needs: ['stats'],
  thresholds: `the kernel’s pressure stall information (some, 10 s): memory ≥ ${least.memory} %, or input and output ≥ ${least.io} % of the container, on the mean; of the machine a note`,
  find({ case: { moments }, serves }) {
    const known = moments.flatMap(({ stats }) => stats.pressure ?? []);
    const last = known.at(-1);
    if (!last) return null;
    return (['memory', 'io'] as const).flatMap((resource) => {
      const share = mean(known.map((each) => each[resource])) ?? 0;
      if (share < least[resource]) return [];
      const own = last.of === 'container';
      return finding('pressure', {
        level: own && serves && resource === 'memory' ? 'finding' : 'note',
        weight: own ? 0.4 + share / 250 : 0.15,
        sentence: `${own ? 'the container' : 'the machine'} waits for ${words[resource]}: ${percent(share / 100)} of the last seconds something of it stood still for that`,
        place: `${resource} pressure of the ${last.of}`,
        certainty: own ? 'certain' : 'possible',
        against: own ? [] : ['it is the whole machine’s figure: another container may be the one that waits'],
        next: resource === 'memory' ? 'memstats TARGET' : 'top TARGET --once',
        remedy:
          resource === 'memory'
            ? 'Raise the memory limit or use less: near the limit the kernel takes pages away and reads them again.'
            : 'Look at what reads and writes so much, in this container and on its node.',
        figures: { resource, of: last.of, share: share / 100 },
      });
    });
  },
};
