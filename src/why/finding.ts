import type { Frame } from '../protocol/replies.ts';
import type { Reading } from './case.ts';
import type { Evidence } from './evidence/evidence.ts';

/** `finding`: this is what is wrong. `note`: worth knowing, harms little or not yet. */
export type Level = 'finding' | 'note';
export type Certainty = 'certain' | 'likely' | 'possible';

export interface Finding {
  /** Stable, such as `sync-crypto`; docs/why.md has a section of that name. */
  readonly id: string;
  readonly level: Level;
  /** 0 to 1: how much of what is wrong with the process this explains. The ranking. */
  readonly weight: number;
  /** One sentence with its figures, without a full stop. */
  readonly sentence: string;
  /** Code, route, peer or limit, as one types or opens it; null where it is the whole process. */
  readonly place: string | null;
  /** The frame behind `place`, and those that called it, innermost first. */
  readonly frames: readonly Frame[];
  readonly certainty: Certainty;
  /** What speaks against it. */
  readonly against: readonly string[];
  /** ISO 8601, since when; null where the recorder does not know. */
  readonly since: string | null;
  /** What to type next, without the program and the target: `pprof-cpu TARGET --duration 10s`. */
  readonly next: string;
  readonly remedy: string;
  /** The figures of the sentence. */
  readonly figures: Readonly<Record<string, number | string | null>>;
}

/** One thing that can be wrong: a pure function over the evidence. */
export interface Rule {
  readonly id: string;
  /** What is checked, as a healthy process is told it passed: `no function blocks the event loop`. */
  readonly passed: string;
  /** Without these it cannot be looked for. */
  readonly needs: readonly Reading[];
  /** Thresholds and where they come from, for docs/why.md. */
  readonly thresholds: string;
  find(evidence: Evidence): Finding | null | readonly Finding[];
}

type Given = Pick<Finding, 'weight' | 'sentence' | 'next' | 'remedy'> & Partial<Finding>;

/** Fills in what most findings have alike. */
export function finding(id: string, given: Given): Finding {
  return {
    id,
    level: 'finding',
    place: null,
    frames: [],
    certainty: 'likely',
    against: [],
    since: null,
    figures: {},
    ...given,
    weight: Math.min(1, Math.max(0, given.weight)),
  };
}
