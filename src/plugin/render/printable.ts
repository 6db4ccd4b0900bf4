/**
 * What pods, clusters and files say, made safe to print: nothing of it moves a cursor, reorders a line, or speaks to a CI runner.
 * Escapes are those of JSON, so that a document stays the same document.
 */
import type { Writable } from 'node:stream';

/** C0 without tab and line feed, DEL and C1, line separators, marks that reorder or hide text, and tags. */
const unsafe =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]|\udb40[\udc00-\udc7f]/g;
/** The colours and weights that we write ourselves, where the stream is a terminal. */
const ownStyles = /^\u001b\[(?:[127]|2[27]|3[1-3]|39|9[0-7])m/;
/** A line that a runner takes for a command: GitHub's, after whatever .NET takes for a blank, and Azure's and TeamCity's. */
const runnerCommands = /^([^\S\n]*):(?=:[A-Za-z])|#(?=#\w*\[)/gm;

/** Whether a string needs escapes to be printed. */
export function isPrintable(text: string): boolean {
  unsafe.lastIndex = runnerCommands.lastIndex = 0;
  return !unsafe.test(text) && !runnerCommands.test(text);
}

/** A name, message or path of somebody else, in one line. */
export function printable(text: string): string {
  return escapeUnsafe(text).replaceAll('\n', '\\n').replaceAll('\t', '\\t');
}

/** A reply with every string and key of it in one line. */
export function printableReply<T>(value: T): T {
  if (typeof value === 'string') return printable(value) as T;
  if (Array.isArray(value)) return value.map(printableReply) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [printable(key), printableReply(one)])) as T;
}

/** Text of several lines, with our own colours kept where `styled`. */
export function printableText(text: string, styled: boolean): string {
  const safe = text.replaceAll(unsafe, (character, at: number) =>
    styled && character === '\u001b' && ownStyles.test(text.slice(at, at + 6)) ? character : escaped(character),
  );
  return safe.replaceAll(runnerCommands, (match, blanks: string | undefined) =>
    match === '#' ? '\\u0023' : `${blanks ?? ''}\\u003a`,
  );
}

function escapeUnsafe(text: string): string {
  return text.replaceAll(unsafe, escaped);
}

function escaped(character: string): string {
  return [...Array(character.length).keys()]
    .map((i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`)
    .join('');
}

const bare = new WeakMap<object, Writable>();

/**
 * The last step before output: text written to the stream is made printable, bytes (artifacts) pass as they are.
 * Everything else of the stream is its own.
 */
export function guardText<S extends Writable & { isTTY?: boolean }>(stream: S): S {
  const write: Writable['write'] = (chunk: unknown, ...rest: unknown[]) =>
    (stream.write as (...all: unknown[]) => boolean)(
      typeof chunk === 'string' ? printableText(chunk, stream.isTTY === true) : chunk,
      ...rest,
    );
  const guarded = new Proxy(stream, {
    get(target, key) {
      if (key === 'write') return write;
      const value = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  bare.set(guarded, stream);
  return guarded;
}

/** The stream itself, for what draws on a terminal or speaks to a runner: it makes printable what it is given. */
export function unguarded<S extends Writable>(stream: S): S {
  return (bare.get(stream) as S | undefined) ?? stream;
}
