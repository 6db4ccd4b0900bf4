/** From a case to ranked findings. */
import type { Case } from './case.ts';
import { evidenceOf } from './evidence/evidence.ts';
import type { Finding, Rule } from './finding.ts';
import { rules } from './findings/index.ts';

export interface Diagnosis {
  /** The first is the answer. */
  readonly findings: readonly Finding[];
  /** What was looked for and not found, in words. */
  readonly passed: readonly string[];
  /** What could not be looked for, and why. */
  readonly skipped: readonly { readonly id: string; readonly reason: string }[];
}

/** A loop that is blocked or full does not accept; a machine that waits for memory is no news beside its cause. */
const loopFindings = [
  ...[
    'hot-function',
    'periodic-stall',
    'regex',
    'json',
    'sync-crypto',
    'sync-zlib',
    'sync-fs',
    'sync-child',
    'sync-wait',
  ],
  ...['clone', 'recompile', 'exceptions', 'logging', 'gc-pressure', 'cpu-throttled', 'cpu-starved', 'descriptors'],
];

/** What is a consequence of another finding says less than that: it goes below, as a note. */
const consequences: Readonly<Record<string, readonly string[]>> = {
  'buffer-growth': ['heap-growth'],
  'native-growth': ['buffer-growth'],
  'handles-growth': ['heap-growth', 'native-growth', 'descriptors'],
  'close-wait': ['handles-growth', 'descriptors', 'heap-growth', 'native-growth'],
  'outbound-stuck': ['requests-stuck', 'handles-growth', 'heap-growth', 'native-growth'],
  'outbound-pool': ['requests-stuck', 'outbound-stuck', 'heap-growth', 'handles-growth', 'native-growth'],
  'connection-pool': ['requests-stuck', 'heap-growth', 'handles-growth', 'native-growth'],
  'uv-pool': ['requests-stuck'],
  dns: ['requests-stuck', 'uv-pool'],
  children: ['handles-growth', 'native-growth'],
  'gc-pressure': ['hot-function', 'recompile', 'json', 'clone', 'cpu-starved'],
  'memory-limit': ['pressure'],
  'cpu-throttled': ['cpu-starved'],
  'requests-stuck': ['heap-growth', 'handles-growth', 'native-growth'],
};

/** Without figures or stacks nobody is called healthy. */
export function isBlind({ moments, stacks }: Case): boolean {
  return moments.length === 0 || stacks.length === 0;
}

export function diagnose(c: Case): Diagnosis {
  const evidence = evidenceOf(c);
  const missing = new Map(c.missing.map(({ reading, reason }) => [reading, reason]));
  const found: Finding[] = [];
  const passed: string[] = [];
  const skipped: { id: string; reason: string }[] = [];
  for (const rule of rules) {
    const own = asList(rule.find(evidence));
    found.push(...own);
    const lacks = rule.needs.find((reading) => missing.has(reading));
    if (own.length > 0) continue;
    if (lacks) skipped.push({ id: rule.id, reason: missing.get(lacks)! });
    else passed.push(rule.passed);
  }
  return { findings: rank(found), passed, skipped };
}

function asList(found: ReturnType<Rule['find']>): readonly Finding[] {
  return found === null ? [] : 'id' in found ? [found] : found;
}

/** Findings before notes, those that explain most first. */
export function rank(found: readonly Finding[]): Finding[] {
  const lesser = new Set(
    found.flatMap(({ id, level }) =>
      level === 'finding'
        ? [...(consequences[id] ?? []), ...(loopFindings.includes(id) ? ['accept-backlog'] : [])]
        : [],
    ),
  );
  const settled = found.map(
    (each): Finding => (lesser.has(each.id) ? { ...each, level: 'note', weight: each.weight / 2 } : each),
  );
  const order = { finding: 0, note: 1 } as const;
  return settled.toSorted((a, b) => order[a.level] - order[b.level] || b.weight - a.weight);
}
