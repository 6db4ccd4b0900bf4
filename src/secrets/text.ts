/**
 * Masks secrets inside texts, by the names that stand before them and by what they look like. Runs over whatever an app says, also while it
 * ends, so each pattern takes time in proportion to the text: a name is looked for only where one can begin (the lookbehinds), and nothing that
 * repeats is inside of what repeats.
 */
import { isSecretName, isSecretNameInProse } from './names.ts';

export const masked = '<masked>';

/** `scheme://user:password@host`, and `scheme://token@host`. A password typed as it is may hold an @ itself. */
const userinfo = /(?<![a-z0-9+.-])([a-z][a-z0-9+.-]*:\/\/)([^\s/@:?#"'<>]*)(:[^\s/"'<>]*)?@/gi;
/** A word before a secret that is kept: `Bearer …`. */
const scheme = /\b(Bearer|Basic(?! [a-z]+\b)) +[\w.~+/=-]{8,}/gi;
/** Values that are secrets whatever they are called. */
const shapes = new RegExp(
  [
    '-----BEGIN [A-Z0-9 ]+-----[\\s\\S]*?(?:-----END [A-Z0-9 ]+-----|$)',
    '\\beyJ[\\w-]{8,2000}\\.[\\w-]{4,}(?:\\.[\\w-]*)?',
    '\\b(?:AKIA|ASIA)[A-Z0-9]{16}\\b',
    '\\bAIza[\\w-]{35}',
    '\\b(?:gh[pousr]|github_pat|glpat|xox[abeoprs]|xapp|npm|sk|pk|rk|hf|whsec|shpat|dckr_pat|dop_v1|pypi|lin_api)[-_][\\w-]{16,}',
    '\\bya29\\.[\\w-]{16,}',
    '\\bGOCSPX-[\\w-]{16,}',
    '\\bSG\\.[\\w-]{16,}\\.[\\w-]{16,}',
    '\\bhv[sbr]\\.[\\w-]{16,}',
    '\\bAGE-SECRET-KEY-[A-Z0-9]{16,}',
    '\\bhooks\\.slack\\.com/services/[\\w/]+',
  ].join('|'),
  'g',
);

/** How a value is found behind its name. */
interface Form {
  /** Ends where the value begins; its first group is the name. */
  readonly before: RegExp;
  isSecret(name: string, text: string, at: number): boolean;
  /** Where the value ends; undefined where there is none. */
  end(text: string, begin: number, before: RegExpMatchArray): number | undefined;
  /** What is shown instead. */
  instead?(value: string): string;
}

const matching = (value: RegExp) => (text: string, begin: number) => {
  value.lastIndex = begin;
  return value.test(text) ? value.lastIndex : undefined;
};
/** A quote at each end where the value has them. */
function quoted(value: string): string {
  const [first = ''] = value;
  if (!/["'`]/.test(first)) return masked;
  return `${first}${masked}${value.length > 1 && value.endsWith(first) ? first : ''}`;
}

const forms: readonly Form[] = [
  {
    // "name": "value" inside another text, where quotes have backslashes
    before: /(?<![\w.$-])([\w.$-]+)(\\{1,8}["'])[ \t]*:[ \t]*\2/g,
    isSecret: isSecretName,
    end: (text, begin, [, , quote]) => nestedEnd(text, begin, quote!),
  },
  {
    // "name": "value" of JSON, also cut off, and name: 'value' as Node prints objects
    before: /(?<![\w.$-])([\w.$-]+)["'`]?[ \t]*:[ \t]*(?=["'`])/g,
    isSecret: isSecretName,
    end: matching(/"(?:[^"\\]|\\.)*(?:"|$)|'(?:[^'\\]|\\.)*(?:'|$)|`[^`]*(?:`|$)/sy),
    instead: quoted,
  },
  {
    // "otp": 123456
    before: /(?<![\w.$-])([\w.$-]+)["'`]?[ \t]*:[ \t]*(?=\d)/g,
    isSecret: (name) => /(?:pass(?:word|code)|pin|otp|pwd|cvv)$/i.test(name),
    end: matching(/\d{3,}/y),
  },
  {
    // name=value of queries, connection strings, shells and logs; `key=` is the key of anything
    before: /(?<![\w.-])([\w.-]+)=(?!=)/g,
    isSecret: (name) => !/^keys?$/i.test(name) && isSecretName(name),
    end: matching(/"(?:[^"\\]|\\.)*(?:"|$)|'[^']*(?:'|$)|[^\s&;,"'<>]+/sy),
  },
  {
    // Authorization: …, password: …, of headers and YAML, to the end of the line
    before: /(?<![\w.-])([\w.-]+):[ \t]+/g,
    isSecret: isSecretHeader,
    end: matching(/[^\s"'`{[<][^\r\n"'`]*/y),
  },
  {
    // --db-password VALUE inside a longer text; not where the sentence goes on
    before: /(?<![\w.-])(--?[A-Za-z][\w.-]*)[ \t]+/g,
    isSecret: isSecretName,
    end: matching(/(?!-|[A-Z_]+\b|(?:to|is|or|and|for|with|in|of|the|a|from|as|on)\b)[^\s;,"'<>]+/y),
  },
];

/** The text without what looks like a secret in it. */
export function maskText(text: string): string {
  const shaped = text
    .replace(shapes, masked)
    .replace(userinfo, (_, begin: string, user: string, password: string | undefined) =>
      password === undefined ? `${begin}${masked}@` : `${begin}${user}:${masked}@`,
    );
  return forms.reduce(maskForm, shaped).replace(scheme, (_, name: string) => `${name} ${masked}`);
}

function maskForm(text: string, { before, isSecret, end, instead = () => masked }: Form): string {
  let shown = '';
  let from = 0;
  for (const match of text.matchAll(before)) {
    // inside of a value that is masked already
    if (match.index < from || !isSecret(match[1]!, text, match.index)) continue;
    const begin = match.index + match[0].length;
    const to = end(text, begin, match);
    if (to === undefined) continue;
    shown += text.slice(from, begin) + instead(text.slice(begin, to));
    from = to;
  }
  return shown + text.slice(from);
}

/** In the middle of a line a colon follows ordinary words, too; at its begin it is a field. */
function isSecretHeader(name: string, text: string, at: number): boolean {
  if (isSecretNameInProse(name)) return true;
  if (/^keys?$/i.test(name) || !isSecretName(name)) return false;
  const before = text.slice(Math.max(0, at - 40), at);
  return /(?:^|\n)[ \t]*(?:- )?$/.test(before) && (at <= 40 || before.includes('\n'));
}

/** The next quote with exactly these backslashes, or the end of the text. */
function nestedEnd(text: string, begin: number, quote: string): number {
  for (let at = text.indexOf(quote, begin); at >= 0; at = text.indexOf(quote, at + 1))
    if (text[at - 1] !== '\\') return at;
  return text.length;
}
