import { duration } from '../../protocol/text/quantities.ts';
import { finding, type Rule } from '../finding.ts';

export const ended: Rule = {
  id: 'ended',
  passed: 'it lived through the look',
  needs: [],
  thresholds: 'nobody answers for the process at the end of the look, or another process does',
  find({ case: { ended: gone, moments, subject } }) {
    if (!gone) return null;
    const seenMs = moments.at(-1)?.atMs ?? 0;
    return finding('ended', {
      weight: 1,
      sentence: `process ${subject.pid} ended while it was looked at, ${duration(seenMs)} after the look began`,
      certainty: 'certain',
      next: 'postmortem TARGET',
      remedy:
        'Look at what it left (postmortem, artifacts) and at the container’s last state: an exit code, or the kernel’s OOM kill.',
      figures: { seenMs: Math.round(seenMs) },
    });
  },
};
