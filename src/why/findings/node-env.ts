import type { Evidence } from '../evidence/evidence.ts';
import { packageOf } from '../evidence/frames.ts';
import { finding, type Rule } from '../finding.ts';

/** What each does where it is not told that this is production, after its own documentation. */
const frameworks: Readonly<Record<string, string>> = {
  express: 'reads each view anew and answers errors with their stack',
  'react-dom': 'renders with its development build, several times slower',
  react: 'checks every element in its development build',
  next: 'compiles pages on demand',
  '@vue/server-renderer': 'renders with checks and warnings',
  vue: 'renders with checks and warnings',
  '@apollo/server': 'tells stack traces to clients and serves its schema',
};

export const nodeEnv: Rule = {
  id: 'node-env',
  passed: 'NODE_ENV is production where a framework asks for it',
  needs: ['process'],
  thresholds:
    'NODE_ENV was not `production` at the start, and a framework that changes its ways by it (Express, React, Next.js, Vue, Apollo) was seen at work',
  find(e) {
    const { environment } = e.case;
    if (!environment || environment.nodeEnv === 'production') return null;
    const seen = packagesOf(e);
    const name = Object.keys(frameworks).find((each) => seen.has(each));
    if (!name || !e.serves) return null;
    return finding('node-env', {
      level: 'note',
      weight: 0.2,
      sentence: `NODE_ENV is ${environment.nodeEnv === null ? 'not set' : `'${environment.nodeEnv}'`}: without 'production' ${name} ${frameworks[name]}`,
      place: 'NODE_ENV',
      certainty: 'likely',
      against: ['as it was at the start: the app may have set it since'],
      next: 'process TARGET',
      remedy: 'Set NODE_ENV=production in the container.',
      figures: { nodeEnv: environment.nodeEnv, framework: name },
    });
  },
};

function packagesOf({ case: { cpu, stacks, allocations } }: Evidence): ReadonlySet<string | null> {
  const frames = [
    ...(cpu?.stacks ?? []),
    ...(allocations?.sites ?? []),
    ...stacks.flatMap(({ threads }) => threads.filter(({ thread }) => thread === 'main')),
  ].flatMap((stack) => stack.frames);
  return new Set(frames.map(packageOf));
}
