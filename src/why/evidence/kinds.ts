/** What a stack is busy with: told by the frames between the app's own code and the innermost one. */
import type { Frame } from '../../protocol/replies.ts';
import { callerOf, ownerOf, packageOf } from './frames.ts';

export const kinds = [
  'regex',
  'json',
  'crypto',
  'zlib',
  'fs',
  'child',
  'dns',
  'compile',
  'intl',
  'error',
  'log',
  'inspect',
  'clone',
  'module',
  'wait',
  'gc',
  'function',
] as const;
export type Kind = (typeof kinds)[number];

export interface Classified {
  readonly kind: Kind;
  /** What was called: `pbkdf2Sync`, `JSON.parse`, a pattern; null for code of the app itself. */
  readonly call: string | null;
  /** Who called it, in code that is not Node's. */
  readonly caller: Frame | null;
}

/** Node's modules whose functions block where they are named like that, called straight from outside of Node. */
const modules: readonly (readonly [Kind, RegExp, RegExp?])[] = [
  ['child', /^node:child_process$|internal\/child_process/, /Sync$/],
  ['zlib', /^node:zlib$/, /Sync|zlibBufferSync|processChunkSync/],
  ['crypto', /^node:crypto$|internal\/crypto\//, /Sync$/],
  ['fs', /^node:fs$|internal\/fs\//, /Sync/],
  ['dns', /^node:dns$/, /Sync$/],
  ['compile', /^node:vm$|internal\/vm/],
  ['module', /internal\/modules\/|^node:module$/],
  ['error', /internal\/errors$/, /tackTrace|captureLargerStackTrace/],
  ['log', /internal\/console\//],
  ['inspect', /internal\/util\/inspect$/],
  ['clone', /js_transferable$|structured_clone|internal\/v8\/|^node:v8$/],
];

/** Builtins that V8 gives no frame of their own, by what stands in the source where they are called. */
const builtins: readonly (readonly [Kind, RegExp])[] = [
  // before what its argument is made with
  ['compile', /\bnew\s+(?:RegExp|Function)\b|\beval\s*\(/],
  ['json', /\bJSON\s*\.\s*(?:parse|stringify)\b/],
  ['intl', /\bIntl\s*\.\s*\w+|\.toLocale(?:\w*)String\b|\.localeCompare\b/],
  ['clone', /\bstructuredClone\b/],
  ['zlib', /\b(?:gzip|gunzip|deflate|deflateRaw|inflate|inflateRaw|unzip|brotli\w+|zstd\w+)Sync\b/],
  ['crypto', /\b(?:pbkdf2|scrypt|hkdf|generateKey|generateKeyPair|generatePrime|checkPrime|randomFill|argon2)Sync\b/],
  ['child', /\b(?:exec|execFile|spawn)Sync\b/],
  [
    'fs',
    /\b(?:fs|fsSync|promises)\.\w+Sync\b|\b(?:read|write|append|copy)FileSync\b|\b(?:readdir|stat|lstat|exists|mkdir|rm|unlink|open|readv?|access)Sync\b/,
  ],
  ['wait', /\bAtomics\s*\.\s*wait\b/],
  ['error', /\bthrow\s+new\b|\bnew\s+\w*(?:Error|Exception)\b|\bextends\s+\w*Error\b|\.captureStackTrace\b|\.stack\b/],
  ['regex', /\.(?:test|exec|match|matchAll|search)\s*\(|\.(?:replace|replaceAll|split)\s*\(\s*\/(?![/*])/],
];

/** Packages whose business is writing logs. */
const loggers =
  /^(?:pino|winston|bunyan|log4js|loglevel|debug|signale|consola|npmlog|morgan|logform|@?[\w-]*\/?logger)$/;

export function classify(frames: readonly Frame[]): Classified {
  const found = byFrames(frames);
  return found.kind === 'error' ? { ...found, caller: throwerOf(frames, found.caller) } : found;
}

const errorName = /(?:Error|Exception)$/;

/** An error's own constructor is not who throws it. */
function throwerOf(frames: readonly Frame[], caller: Frame | null): Frame | null {
  if (!caller) return null;
  const makes = ({ code = '', function: name }: Frame) =>
    /\bextends\s|\.captureStackTrace\b/.test(code) || errorName.test(name);
  const outside = frames.slice(frames.indexOf(caller)).filter((frame) => ownerOf(frame) === ownerOf(caller));
  return outside.find((frame) => !makes(frame)) ?? caller;
}

function byFrames(frames: readonly Frame[]): Classified {
  const caller = callerOf(frames);
  const inner = frames.slice(0, caller ? frames.indexOf(caller) : frames.length);
  const pattern = frames[0] && /^RegExp: ?(.*)$/s.exec(frames[0].function);
  if (pattern) return { kind: 'regex', call: pattern[1]!, caller };
  if (frames[0]?.function === '(garbage collector)') return { kind: 'gc', call: null, caller };
  const named = byModule(inner, caller);
  if (named) return named;
  const native = builtinFrame(frames[0], caller);
  if (native) return native;
  const source = frames[0] === caller ? caller?.code : undefined;
  const written = source === undefined ? null : kindOfSource(source);
  if (written) return { ...written, caller };
  // what takes long of an error is its stack
  if (frames[0] === caller && caller && errorName.test(caller.function)) return { kind: 'error', call: null, caller };
  const logger = frames.map(packageOf).find((name) => name !== null && loggers.test(name));
  if (logger) return { kind: 'log', call: logger, caller };
  return { kind: 'function', call: null, caller };
}

/** Node's function that was called from outside tells the kind: what happens below it is its own affair. */
function byModule(inner: readonly Frame[], caller: Frame | null): Classified | null {
  for (const frame of inner.toReversed()) {
    if (ownerOf(frame) !== 'node') continue;
    const found = modules.find(([, file, name]) => file.test(frame.file) && (!name || name.test(frame.function)));
    if (found) return { kind: found[0], call: frame.function, caller };
  }
  return null;
}

/** `JSON.parse` and such, where whoever made the profile gives builtins a frame. */
function builtinFrame(frame: Frame | undefined, caller: Frame | null): Classified | null {
  if (!frame || ownerOf(frame) !== 'engine' || frame.function.startsWith('(')) return null;
  const found = builtins.find(([kind, text]) => kind !== 'regex' && text.test(`${frame.function}(`));
  if (found) return { kind: found[0], call: frame.function, caller };
  return /^RegExp\.|^String\.(?:match|replace|search|split)/.test(frame.function)
    ? { kind: 'regex', call: null, caller }
    : null;
}

/** The kind of what is called in a piece of source; null where it is the app's own code. */
export function kindOfSource(source: string): { kind: Kind; call: string } | null {
  for (const [kind, text] of builtins) {
    const found = text.exec(source);
    if (found) return { kind, call: found[0].replace(/\s*\(\s*\/?$/, '').replaceAll(/\s+/g, ' ') };
  }
  return null;
}
