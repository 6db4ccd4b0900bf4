import { finding, type Rule } from '../finding.ts';

/** Last day of support by major, from the schedule of nodejs/Release; odd majors end half a year after the next one. */
const ends: Readonly<Record<number, string>> = {
  14: '2023-04-30',
  16: '2023-09-11',
  17: '2022-06-01',
  18: '2025-04-30',
  19: '2023-06-01',
  20: '2026-04-30',
  21: '2024-06-01',
  22: '2027-04-30',
  23: '2025-06-01',
  24: '2028-04-30',
  25: '2026-06-01',
  26: '2029-04-30',
};

export const nodeVersion: Rule = {
  id: 'node-version',
  passed: 'its Node.js is supported',
  needs: [],
  thresholds: 'the major’s end of life in the schedule of nodejs/Release lies before the day of the look',
  find({ case: { subject, at } }) {
    const end = ends[Number(/^v(\d+)/.exec(subject.nodeVersion)?.[1])];
    if (!end || Date.parse(end) > Date.parse(at)) return null;
    return finding('node-version', {
      level: 'note',
      weight: 0.05,
      sentence: `Node.js ${subject.nodeVersion} is past its end of life (${end}): no more security fixes`,
      certainty: 'certain',
      next: 'version TARGET',
      remedy: 'Move to a supported line.',
      figures: { nodeVersion: subject.nodeVersion, end },
    });
  },
};
