/**
 * Rules as they are written: `when heapUsed > 80% of limit for 30s capture pprof-heap 20s, at most 2 an hour, cool-down 10m`.
 * docs/triggers.md has the grammar.
 */
import type { CaptureName } from './captures.ts';

/** What can be watched, with the unit its values are written in and the limit that `% of limit` means. */
export const triggerFigures = {
  heapUsed: { unit: 'bytes', limit: 'heapLimitBytes' },
  heapTotal: { unit: 'bytes', limit: 'heapLimitBytes' },
  external: { unit: 'bytes', limit: 'memoryLimitBytes' },
  rss: { unit: 'bytes', limit: 'memoryLimitBytes' },
  cgroupUsed: { unit: 'bytes', limit: 'memoryLimitBytes' },
  cpu: { unit: 'percent', limit: undefined },
  utilization: { unit: 'percent', limit: undefined },
  gc: { unit: 'percent', limit: undefined },
  throttled: { unit: 'percent', limit: undefined },
  loopDelayP99: { unit: 'ms', limit: undefined },
  loopDelayMax: { unit: 'ms', limit: undefined },
  threads: { unit: 'count', limit: undefined },
} as const;
export type TriggerFigure = keyof typeof triggerFigures;

/** A heap snapshot is none of them: it stops the process, and nobody is there to be asked. */
export const triggerCaptures = ['pprof-cpu', 'pprof-heap', 'trace', 'report', 'stack'] as const;
export type TriggerCapture = (typeof triggerCaptures)[number] & (CaptureName | 'stack');

export interface Rule {
  /** As it was written, blanks made one: what its firings are filed under. */
  readonly text: string;
  readonly figure: TriggerFigure;
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
  const figure = parts.figure as TriggerFigure;
  if (!Object.hasOwn(triggerFigures, figure))
    throw new TypeError(`'${parts.figure}' is no figure; there are ${Object.keys(triggerFigures).join(', ')}`);
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

/** Shares of the time, and what cannot be more than its limit. CPU is of one core, memory outside the heap may be promised only. */
const shares: readonly TriggerFigure[] = ['utilization', 'gc', 'throttled'];
const limited: readonly TriggerFigure[] = ['heapUsed', 'heapTotal', 'rss', 'cgroupUsed'];

/** Why a rule cannot come true; undefined where it can. */
function neverHolds(figure: TriggerFigure, below: boolean, threshold: number, ofLimit: boolean): string | undefined {
  if (below) return threshold > 0 ? undefined : `${figure} is never below 0`;
  if (ofLimit) return limited.includes(figure) && threshold >= 1 ? `${figure} is never above its limit` : undefined;
  return shares.includes(figure) && threshold >= 100 ? `${figure} is never above 100%` : undefined;
}

function value(figure: TriggerFigure, number: number, unit: string, ofLimit: boolean): number {
  const { unit: wanted, limit } = triggerFigures[figure];
  if (ofLimit) {
    if (limit === undefined) throw new TypeError(`${figure} has no limit`);
    if (unit !== '%') throw new TypeError('a share of the limit is written as in 80% of limit');
    return number / 100;
  }
  const factor =
    wanted === 'bytes'
      ? sizes[unit]
      : wanted === 'ms'
        ? durations[unit]
        : unit === (wanted === 'percent' ? '%' : '')
          ? 1
          : undefined;
  if (factor === undefined) {
    const example = { bytes: '512MB, or 80% of limit', ms: '500ms', percent: '90%', count: '64' }[wanted];
    throw new TypeError(`${figure} is compared with a value such as ${example}`);
  }
  return number * factor;
}

function duration(text: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? [];
  if (number === undefined) throw new TypeError(`'${text}' is no duration, such as 500ms, 30s or 5m`);
  return Number(number) * durations[unit]!;
}
