/**
 * Rules as they are written: `when heapUsed > 80% of limit for 30s capture pprof-heap 20s, at most 2 an hour, cool-down 10m`.
 * docs/triggers.md has the grammar.
 */
import type { CaptureName } from './captures.ts';
import { type FigureUnit, figureOf, figuresByRule, type RuleFigure } from './figures.ts';

/** A heap snapshot is none of them: it stops the process, and nobody is there to be asked. */
export const triggerCaptures = ['pprof-cpu', 'pprof-heap', 'trace', 'report', 'stack'] as const;
export type TriggerCapture = (typeof triggerCaptures)[number] & (CaptureName | 'stack');

export interface Rule {
  /** As it was written, blanks made one: what its firings are filed under. */
  readonly text: string;
  readonly figure: RuleFigure;
  readonly below: boolean;
  /** Bytes, milliseconds, percent or a count; a share of the limit where `ofLimit`. */
  readonly value: number;
  readonly ofLimit: boolean;
  readonly forMs: number;
  readonly capture: TriggerCapture;
  readonly captureMs: number;
  readonly anHour: number;
  readonly coolDownMs: number;
}

const rulesLimit = 32;
/** Told of one text; how many more there are is told, too. */
const errorsLimit = 8;
const variableLimit = 4_096;

/**
 * Whether a text may stand in NODEOPS_TRIGGERS, whatever it says: short beside the 128 KiB at which the kernel refuses to start the
 * app, and without `$`, as Kubernetes puts other variables in the place of `$(NAME)`. Characters are Unicode's, as in CEL.
 */
export function isTriggersText(text: string): boolean {
  return [...text].length <= variableLimit && !text.includes('$');
}
const durations: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const sizes: Readonly<Record<string, number>> = {
  ...{ b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 },
  ...{ ki: 1024, mi: 1024 ** 2, gi: 1024 ** 3, kib: 1024, mib: 1024 ** 2, gib: 1024 ** 3 },
};
const percent = { units: { '%': 1 }, example: '90%' };
/** How values are written. */
const written: Readonly<Record<FigureUnit, { units: Readonly<Record<string, number>>; example: string }>> = {
  bytes: { units: sizes, example: '512MB, or 80% of limit' },
  ms: { units: durations, example: '500ms' },
  percent,
  share: percent,
  count: { units: { '': 1 }, example: '64' },
};
const shape =
  /^when\s+(?<figure>\S+)\s*(?<operator>[<>])\s*(?<number>\d+(?:\.\d+)?)\s*(?<unit>[a-z%]*)(?<limit>\s+of\s+limit)?(?:\s+for\s+(?<held>\S+?))?\s+capture\s+(?<capture>[\w-]+)(?:\s+(?<length>\d\S*?))?(?:\s*,\s*at\s+most\s+(?<count>\d{1,3})\s+an\s+hour)?(?:\s*,\s*cool-down\s+(?<pause>\S+))?$/i;

/** Rules of a text, one a line or separated by semicolons; `#` begins a comment. Those that make no sense are told in `errors`. */
export function parseRules(text: string, source: string): { rules: Rule[]; errors: string[] } {
  const rules: Rule[] = [];
  const errors: string[] = [];
  const lines = text.split('\n').flatMap((line, index) =>
    line
      .replace(/#.*/, '')
      .split(';')
      .map((part) => ({ rule: part.trim().replaceAll(/\s+/g, ' '), line: index + 1 })),
  );
  for (const { rule, line } of lines) {
    if (rule === '') continue;
    try {
      if (rules.length >= rulesLimit) throw new TypeError(`there are more than ${rulesLimit} rules`);
      rules.push(parseRule(rule));
    } catch (error) {
      errors.push(`${source}, line ${line}: '${rule.slice(0, 120)}': ${(error as Error).message}`);
    }
  }
  const more = errors.length - errorsLimit;
  return { rules, errors: more > 0 ? [...errors.slice(0, errorsLimit), `${source}: and ${more} more`] : errors };
}

/** Throws TypeError with what it should be. */
export function parseRule(text: string): Rule {
  const parts = shape.exec(text)?.groups;
  if (!parts)
    throw new TypeError(
      "a rule is 'when FIGURE > VALUE [for DURATION] capture WHAT [DURATION][, at most N an hour][, cool-down DURATION]'",
    );
  const figure = parts.figure as RuleFigure;
  if (!Object.hasOwn(figuresByRule, figure))
    throw new TypeError(`'${parts.figure}' is not a figure; there are ${Object.keys(figuresByRule).join(', ')}`);
  const capture = parts.capture as TriggerCapture;
  if (!triggerCaptures.includes(capture))
    throw new TypeError(`'${parts.capture}' cannot be captured by a trigger; ${triggerCaptures.join(', ')} can`);
  if (Number(parts.count) === 0) throw new TypeError('at most 0 an hour is never');
  const ofLimit = parts.limit !== undefined;
  const captureMs = parts.length === undefined ? 10_000 : duration(parts.length);
  if (captureMs < 100 || captureMs > 300_000) throw new TypeError(`'${parts.length}' is not from 100ms to 5m`);
  const below = parts.operator === '<';
  const threshold = value(figure, Number(parts.number), parts.unit!.toLowerCase(), ofLimit);
  const never = neverHolds(figure, below, threshold, ofLimit);
  if (never) throw new TypeError(`it can never hold: ${never}`);
  return {
    text,
    figure,
    below,
    value: threshold,
    ofLimit,
    forMs: parts.held === undefined ? 0 : duration(parts.held),
    capture,
    captureMs,
    anHour: parts.count === undefined ? 4 : Number(parts.count),
    coolDownMs: parts.pause === undefined ? 300_000 : duration(parts.pause),
  };
}

/** Why a rule cannot come true; undefined where it can. */
function neverHolds(figure: RuleFigure, below: boolean, threshold: number, ofLimit: boolean): string | undefined {
  if (below) return threshold > 0 ? undefined : `${figure} is never below 0`;
  const { bounded, unit } = figureOf(figuresByRule[figure]);
  if (!bounded) return undefined;
  if (ofLimit) return threshold >= 1 ? `${figure} is never above its limit` : undefined;
  return unit === 'share' && threshold >= 100 ? `${figure} is never above 100%` : undefined;
}

function value(figure: RuleFigure, number: number, unit: string, ofLimit: boolean): number {
  const { unit: wanted, limit } = figureOf(figuresByRule[figure]);
  if (ofLimit) {
    if (limit === undefined) throw new TypeError(`${figure} has no limit`);
    if (unit !== '%') throw new TypeError('a share of the limit is written as in 80% of limit');
    return number / 100;
  }
  const factor = written[wanted].units[unit];
  if (factor === undefined)
    throw new TypeError(`${figure} is compared with a value such as ${written[wanted].example}`);
  return number * factor;
}

function duration(text: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? [];
  if (number === undefined) throw new TypeError(`'${text}' is not a duration, such as 500ms, 30s or 5m`);
  return Number(number) * durations[unit]!;
}
