import { finding, type Rule } from '../finding.ts';

export const profiler: Rule = {
  id: 'profiler',
  passed: 'no other profiler runs in it',
  needs: ['process'],
  thresholds:
    'it was started with a profiling or tracing flag of V8 or NODE_V8_COVERAGE, or V8’s thread for samples was there before the look took a profile',
  find({ case: { environment } }) {
    const found = environment?.profilers ?? [];
    if (found.length === 0) return null;
    return finding('profiler', {
      level: 'note',
      weight: 0.25,
      sentence: `something else observes it all the time: ${found.join(', ')}`,
      place: found[0]!,
      certainty: 'certain',
      against: ['a continuous profiler may be wanted: it costs a few percent'],
      next: 'process TARGET',
      remedy: 'Take the flag out of the command and of NODE_OPTIONS in production, or end the other profile.',
      figures: { profilers: found.join(', ') },
    });
  },
};
