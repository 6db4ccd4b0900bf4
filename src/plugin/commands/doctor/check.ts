/** What a check found, as a plain value: text, JSON and YAML are made from it. */
import { asNodeopsError } from '../../../protocol/errors.ts';

/** `warn` is worth knowing and hinders nothing that was asked; `skip` could not be looked at, or need not be. */
export type Status = 'ok' | 'warn' | 'fail' | 'skip';

/** What mends it: a sentence, commands to type, YAML to write. */
export interface Remedy {
  readonly say?: string;
  readonly run?: readonly string[];
  readonly yaml?: string;
}

/** `value` is for the checks that need this one. */
export interface Finding<T = undefined> {
  readonly status: Status;
  readonly detail?: string;
  readonly remedy?: Remedy;
  readonly value?: T;
}

/** One line of the report. `id` is stable; `subject` is what was looked at, null for the cluster. */
export interface Check {
  readonly id: string;
  readonly subject: string | null;
  readonly status: Status;
  readonly what: string;
  readonly detail: string | null;
  readonly remedy: Remedy | null;
}

export function ok<T = undefined>(detail: string, value?: T): Finding<T> {
  return { status: 'ok', detail, ...(value === undefined ? {} : { value }) };
}

export function warn<T = undefined>(detail: string, remedy: Remedy, value?: T): Finding<T> {
  return { status: 'warn', detail, remedy, ...(value === undefined ? {} : { value }) };
}

export function fail(detail: string, remedy: Remedy): Finding<never> {
  return { status: 'fail', detail, remedy };
}

export function skip<T = never>(detail: string, value?: T): Finding<T> {
  return { status: 'skip', detail, ...(value === undefined ? {} : { value }) };
}

/** A failure as a finding; its hint is what mends it. */
export function failure(error: unknown): Finding<never> {
  const { message, hint } = asNodeopsError(error);
  return { status: 'fail', detail: message, ...(hint === undefined ? {} : { remedy: hintRemedy(hint) }) };
}

/** A hint is a command, or a sentence, or a sentence that ends in one. */
function hintRemedy(hint: string): Remedy {
  if (/^(?:kubectl|pgrep|sudo) [^;,…]*$/.test(hint)) return { run: [hint] };
  // a line of its own, so that no line break comes into it
  const [, say, command, more = ''] = /^([^:]+): (kubectl [^;…]+?)(, and [^;…]+)?$/.exec(hint) ?? [];
  return command === undefined ? { say: hint } : { say: `${say}${more}:`, run: [command] };
}
