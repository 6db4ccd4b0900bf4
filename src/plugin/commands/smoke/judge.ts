/** From what was seen of a process to what each check says of it. */
import { NodeopsError } from '../../../protocol/errors.ts';
import { type Check, type CheckName, checks } from './checks.ts';
import { figureText, inRange, limitText } from './limit.ts';
import type { Assertion } from './plan.ts';
import type { ProcessRun } from './run.ts';

/** `unknown` could not be checked; `skip` does not apply to the process and was not asked for. */
export type Status = 'pass' | 'fail' | 'unknown' | 'skip';

/** What a check says of one process, or a comparison of one group of them. */
export interface Result {
  readonly check: string;
  readonly status: Status;
  /** The figure in words; null where there is none. */
  readonly value: string | null;
  /** Milliseconds, share, bytes or count, as `unit` says; null for versions and missing figures. */
  readonly figure: number | null;
  readonly unit: string;
  readonly limit: string;
  /** One sentence without a full stop. */
  readonly message: string;
}

/** Everything that was found about one process. */
export interface Judged {
  readonly run: ProcessRun;
  readonly results: readonly Result[];
}

export function judge(run: ProcessRun, assertions: readonly Assertion[]): Judged {
  return { run, results: assertions.map((assertion) => judgeOne(run, assertion)) };
}

function judgeOne(run: ProcessRun, { name, limit, asked }: Assertion): Result {
  const check: Check = checks[name];
  const measured = check.measure(run, limit.unit === 'part');
  const unit = limit.unit === 'part' ? 'share' : check.unit;
  const result = (status: Status, value: string | null, figure: number | null, message: string): Result => ({
    check: name,
    status,
    value,
    figure,
    unit,
    limit: limitText(limit),
    message: oneLine(message),
  });
  if ('missing' in measured) {
    const status = measured.inapplicable && !asked ? 'skip' : 'unknown';
    return result(
      status,
      null,
      null,
      `${status === 'skip' ? 'not applicable' : 'could not check'}: ${measured.missing}`,
    );
  }
  if ('version' in measured) {
    const within = limit.unit === 'version' && inRange(measured.version, limit.range);
    const said = `${check.summary} is ${measured.version}`;
    const message = within ? said : `${said}, which is not in ${limitText(limit)}`;
    return result(within ? 'pass' : 'fail', measured.version, null, message);
  }
  if (limit.unit === 'version') throw new NodeopsError('internal', `${name} has a figure and a range`);
  const { low, high } = measured;
  const text = (value: number) => figureText(limit.unit, value);
  const known = Number.isFinite(high) ? high : low;
  const value = low === high ? text(low) : `${text(low)} to ${Number.isFinite(high) ? text(high) : 'more'}`;
  if (low > limit.most)
    return result('fail', value, low, `${check.summary} is ${value}, allowed is ${text(limit.most)}`);
  if (high > limit.most)
    return result(
      'unknown',
      value,
      known,
      `could not check: ${check.summary} is ${value}, allowed is ${text(limit.most)}`,
    );
  return result('pass', value, known, `${check.summary} is ${value}`);
}

/** Agents and clusters have a say in messages: nothing in them may begin a line or move a cursor. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').slice(0, 2_000);
}

export function evidenceOf(check: string): 'pprof-cpu' | 'pprof-heap' | undefined {
  return Object.hasOwn(checks, check) ? (checks[check as CheckName] as Check).evidence : undefined;
}
