/** Flags as data, in the protocol's own terms; commander's options, help and completion come from the same declaration. */
import { Option } from 'commander';
import { NodeopsError } from '../../protocol/errors.ts';
import { type Parameter, parseValue } from '../../protocol/parameters.ts';
import { duration } from '../../protocol/text/quantities.ts';
import { parseGoDuration } from '../transport/kube/options.ts';

export type Flag = Parameter & {
  readonly short?: string;
  /** What the value is called in help, such as `FILE`. */
  readonly placeholder?: string;
};
export type FlagSet = Readonly<Record<string, Flag>>;

export function toOption(name: string, flag: Flag): Option {
  const short = flag.short ? `-${flag.short}, ` : '';
  if (flag.type === 'boolean') return new BooleanOption(`${short}--${name}`, summary(flag));
  const option = new Option(`${short}--${name} <${flag.placeholder ?? placeholders[flag.type]}>`, summary(flag));
  return option.argParser((text) => parseFlag(name, flag, text));
}

/**
 * `--name`, and as kubectl's flags do `--name=true`, `--name=false`; never `--name true`. Commander has no such option: it
 * asks each option whether an argument is its own, and gives it its value right after.
 */
export class BooleanOption extends Option {
  #typed: string | undefined;

  constructor(flags: string, description: string) {
    super(flags, description);
    // commander keeps --no-x as the absence of x
    if (!this.negate) this.argParser(() => this.#typed === undefined || parseBoolean(this.long!, this.#typed));
  }

  is(arg: string): boolean {
    const [flag, typed] = (!this.negate && /^(--?[^=]+)=(.*)$/s.exec(arg)?.slice(1)) || [arg];
    this.#typed = typed;
    return flag === this.short || flag === this.long;
  }
}

/** What Go's strconv.ParseBool takes. */
function parseBoolean(flag: string, text: string): boolean {
  if (/^(?:1|t|T|true|TRUE|True)$/.test(text)) return true;
  if (/^(?:0|f|F|false|FALSE|False)$/.test(text)) return false;
  throw new NodeopsError('usage', `${flag} is '${text.slice(0, 40)}'; it takes true or false`);
}

const placeholders = { duration: 'DURATION', integer: 'NUMBER', choice: 'CHOICE', text: 'TEXT' } as const;

function summary(flag: Flag): string {
  const choices = flag.type === 'choice' ? `: ${flag.choices.join('|')}` : '';
  const standard =
    flag.default === undefined || flag.default === false || flag.default === ''
      ? ''
      : ` (default ${flag.type === 'duration' ? typed(flag.default as number) : flag.default})`;
  return `${flag.summary}${choices}${standard}`;
}

/** As one types it: `5s`, `15m`, `1m30s`. */
function typed(milliseconds: number): string {
  if (milliseconds === 0) return '0';
  return duration(milliseconds)
    .replace(/\.0+(?=m?s$)/, '')
    .replace(/(?<=[mhd])00[smh]$/, '');
}

/** Parses what was typed for a flag. Throws `usage` naming the flag and what it takes. */
export function parseFlag(name: string, flag: Flag, text: string): unknown {
  try {
    const plain = flag.type === 'duration' ? String(Math.round(parseGoDuration(text, name))) : text;
    return parseValue(`--${name}`, flag, plain);
  } catch (error) {
    if (!(error instanceof NodeopsError)) throw error;
    if (flag.type !== 'duration') throw new NodeopsError('usage', error.message);
    const range = `a duration from ${typed(flag.min)} to ${typed(flag.max)}, such as 500ms, 30s or 2m`;
    throw new NodeopsError('usage', `--${name} is '${text.slice(0, 40)}'; it takes ${range}`);
  }
}
