/** Parameters as data: one declaration gives the type, the parser of the query string, the plugin's flag and its help. */
import { NodeopsError } from './errors.ts';

interface Declared<T> {
  readonly summary: string;
  /** Used when the parameter is absent; without it the parameter is `undefined` then. */
  readonly default?: T;
}
/** On the wire and in TypeScript a whole number of milliseconds; on the command line `250ms`, `5s`, `2m`, `1h` or seconds. */
export interface DurationParameter extends Declared<number> {
  readonly type: 'duration';
  /** milliseconds */
  readonly min: number;
  /** milliseconds */
  readonly max: number;
}
export interface IntegerParameter extends Declared<number> {
  readonly type: 'integer';
  readonly min: number;
  readonly max: number;
}
export interface BooleanParameter extends Declared<boolean> {
  readonly type: 'boolean';
}
export interface ChoiceParameter extends Declared<string> {
  readonly type: 'choice';
  readonly choices: readonly string[];
}
export interface TextParameter extends Declared<string> {
  readonly type: 'text';
  readonly maxLength: number;
}
export type Parameter = DurationParameter | IntegerParameter | BooleanParameter | ChoiceParameter | TextParameter;
export type ParameterSet = Readonly<Record<string, Parameter>>;

type ValueOf<P extends Parameter> = P extends { type: 'duration' | 'integer' }
  ? number
  : P extends { type: 'boolean' }
    ? boolean
    : P extends { type: 'choice'; choices: readonly (infer C)[] }
      ? C
      : string;
/** The parsed values of a parameter set: those with a default are always there. */
export type Parsed<S extends ParameterSet> = {
  readonly [K in keyof S]: S[K] extends { default: unknown } ? ValueOf<S[K]> : ValueOf<S[K]> | undefined;
};

/** Parses and checks a query string against its declaration. Throws `bad-request` naming the parameter and what it takes. */
export function parseParameters<S extends ParameterSet>(set: S, given: Iterable<[string, string]>): Parsed<S> {
  const values: Record<string, unknown> = {};
  for (const [name, parameter] of Object.entries(set)) values[name] = parameter.default;
  const seen = new Set<string>();
  for (const [name, text] of given) {
    const parameter = Object.hasOwn(set, name) ? set[name] : undefined;
    if (!parameter) throw new NodeopsError('bad-request', `unknown parameter '${name}'`);
    if (seen.has(name)) throw new NodeopsError('bad-request', `'${name}' is given more than once`);
    seen.add(name);
    values[name] = parseValue(name, parameter, text);
  }
  return values as Parsed<S>;
}

/** Writes parameters as a query string's entries; what is undefined is left out. */
export function formatParameters(values: Readonly<Record<string, unknown>>): [string, string][] {
  return Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [name, String(value)]);
}

/** Parses one value; `name` is what the message calls it. Throws `bad-request`. */
export function parseValue(name: string, parameter: Parameter, text: string): unknown {
  switch (parameter.type) {
    case 'duration':
    case 'integer': {
      const unit = parameter.type === 'duration' ? ' milliseconds' : '';
      const value = /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
      if (!(value >= parameter.min && value <= parameter.max))
        throw refused(name, text, `a whole number from ${parameter.min} to ${parameter.max}${unit}`);
      return value;
    }
    case 'boolean':
      if (text !== 'true' && text !== 'false') throw refused(name, text, 'true or false');
      return text === 'true';
    case 'choice':
      if (!parameter.choices.includes(text)) throw refused(name, text, `one of ${parameter.choices.join(', ')}`);
      return text;
    case 'text':
      if (text.length > parameter.maxLength)
        throw refused(name, `${text.slice(0, 20)}…`, `at most ${parameter.maxLength} characters`);
      return text;
  }
}

function refused(name: string, text: string, takes: string): NodeopsError {
  return new NodeopsError('bad-request', `${name} is '${text}'; it takes ${takes}`);
}
