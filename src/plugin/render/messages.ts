import { asNodeopsError } from '../../protocol/errors.ts';

/** The one line a user reads when something fails: what happened, then what to type next. */
export function errorLine(program: string, thrown: unknown): string {
  const error = asNodeopsError(thrown);
  const name = program.split(' ').at(-1);
  const hint = error.hint === undefined ? '' : `; ${error.hint}`;
  const lines = `${name}: ${error.message}${hint}`.split(/\r?\n/);
  return `${lines.map((line) => line.trim()).join(' ')}\n`;
}
