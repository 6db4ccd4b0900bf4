/** `--source-map-dir`: finds the maps of a pod's scripts in a directory on this machine, whose paths need not be the pod's. */
import { readFileSync, statSync } from 'node:fs';
import { opendir } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import type { TraceMap } from '@jridgewell/trace-mapping';
import { NodeopsError } from '../protocol/errors.ts';
import {
  decodeDataUrl,
  limitMapBytes,
  mapPathOf,
  parseSourceMap,
  rememberText,
  sourceMappingUrl,
} from '../source-maps/text.ts';
import type { SourceMapLookup } from './source-maps.ts';

export interface SourceMapDirOptions {
  /** Larger maps and scripts are left alone. @default 67108864 */
  readonly limitBytes?: number;
  /** Files looked at below the directory. @default 200000 */
  readonly limitFiles?: number;
  /** Told of every map that was found but could not be used. */
  readonly onProblem?: (error: NodeopsError) => void;
}

/**
 * Looks through a directory for `*.map` files and scripts, and returns a lookup by script URL. Of several scripts the one that shares
 * most trailing path parts with the URL is taken, and where that has no map another copy of it that has; maps that differ are no match,
 * since a wrong map is worse than none. A script's
 * `sourceMappingURL` comment (a file beside it, or inline data) counts before `SCRIPT.map`. Maps are read when first asked for.
 * Throws NodeopsError `local-file` when the directory cannot be read, `too-large` when it holds too many files.
 */
export async function sourceMapDir(directory: string, options: SourceMapDirOptions = {}): Promise<SourceMapLookup> {
  const files = await candidates(directory, options.limitFiles ?? 200_000);
  const known = new Map<string, TraceMap | undefined>();
  return (url) => {
    if (!known.has(url)) known.set(url, load(url, files, options));
    return known.get(url);
  };
}

/** Scripts and maps by the script's file name. */
async function candidates(directory: string, limitFiles: number): Promise<Map<string, string[]>> {
  const files = new Map<string, string[]>();
  let seen = 0;
  try {
    for await (const entry of await opendir(directory, { recursive: true })) {
      if (++seen > limitFiles)
        throw new NodeopsError('too-large', `${directory} holds more than ${limitFiles} files`, {
          hint: 'Name the directory that the source maps are in.',
        });
      if (!entry.isFile() || !/\.(?:[cm]?jsx?|map)$/.test(entry.name)) continue;
      const script = entry.name.replace(/\.map$/, '');
      const paths = files.get(script);
      const path = join(entry.parentPath, entry.name);
      if (paths) paths.push(path);
      else files.set(script, [path]);
    }
  } catch (cause) {
    if (cause instanceof NodeopsError) throw cause;
    throw new NodeopsError('local-file', `cannot look for source maps in ${directory}: ${(cause as Error).message}`, {
      cause,
    });
  }
  return files;
}

/** Candidates of one script that are looked into. */
const limitCandidates = 32;

function load(url: string, files: ReadonlyMap<string, string[]>, options: SourceMapDirOptions): TraceMap | undefined {
  if (url.startsWith('node:')) return undefined;
  const path = url.replace(/^[a-z][\w+.-]*:\/\/[^/]*/i, '').replace(/[?#].*$/, '');
  const named = files.get(basename(path)) ?? [];
  try {
    return choose(url, byCloseness(path, named), new Set(named), options);
  } catch (cause) {
    // a damaged map, comment or path costs this script its names, and nothing else
    options.onProblem?.(
      cause instanceof NodeopsError
        ? cause
        : new NodeopsError(
            'failed',
            `the source map of ${url.slice(0, 200)} cannot be used: ${(cause as Error).message}`,
          ),
    );
    return undefined;
  }
}

/** The map of the closest script; where that has none, of another copy of the same script. */
function choose(
  url: string,
  ranks: readonly string[][],
  named: ReadonlySet<string>,
  options: SourceMapDirOptions,
): TraceMap | undefined {
  const limitBytes = options.limitBytes ?? limitMapBytes;
  const closest = ranks[0] ?? [];
  const plain = closest.flatMap((script) => (named.has(script) ? [bare(read(script, limitBytes))] : []));
  const isCopy = (script: string) => named.has(script) && plain.includes(bare(read(script, limitBytes)));
  for (const rank of ranks) {
    const found = rank.flatMap((script) => {
      const text =
        rank === closest || isCopy(script) ? mapText(script, named.has(script), limitBytes, options) : undefined;
      return text === undefined ? [] : [{ script, text }];
    });
    // several that say different things are no match: a wrong map is worse than none
    if (new Set(found.map(({ text }) => text)).size > 1) return undefined;
    const [one] = found;
    if (!one) continue;
    const map = parseSourceMap(one.text, url, limitBytes);
    if (named.has(one.script)) rememberText(map, read(one.script, limitBytes));
    return map;
  }
  if (closest.length > 0 && named.has(closest[0]!))
    options.onProblem?.(new NodeopsError('failed', `${closest[0]} has no source map`));
  return undefined;
}

function mapText(
  script: string,
  exists: boolean,
  limitBytes: number,
  options: SourceMapDirOptions,
): string | undefined {
  const comment = exists ? sourceMappingUrl(read(script, limitBytes)) : undefined;
  const inline = comment && decodeDataUrl(comment);
  if (inline) return inline;
  const named = comment && mapPathOf(comment);
  if (comment && named === undefined && !comment.startsWith('http'))
    options.onProblem?.(
      new NodeopsError('failed', `${script} names a source map that is no path: ${comment.slice(0, 100)}`),
    );
  return (
    (named ? tryRead(resolve(dirname(script), named), limitBytes) : undefined) ?? tryRead(`${script}.map`, limitBytes)
  );
}

/** A script without its comment: copies differ by it. */
function bare(script: string): string {
  return script.replace(/(?:^|\n)\/\/[#@] sourceMappingURL=\S*\s*$/, '').trimEnd();
}

/** Scripts by how many trailing parts they share with the path, most first. */
function byCloseness(path: string, named: readonly string[]): string[][] {
  const wanted = path.split('/').reverse();
  const ranks = new Map<number, string[]>();
  for (const script of new Set(named.map((file) => file.replace(/\.map$/, '')))) {
    const parts = script.split(sep).reverse();
    let shared = 0;
    while (shared < parts.length && parts[shared] === wanted[shared]) shared++;
    if (shared > 0) ranks.set(shared, [...(ranks.get(shared) ?? []), script]);
  }
  return [...ranks].sort(([one], [other]) => other - one).map(([, scripts]) => scripts.slice(0, limitCandidates));
}

function tryRead(path: string | undefined, limitBytes: number): string | undefined {
  return path !== undefined && statSync(path, { throwIfNoEntry: false })?.isFile() ? read(path, limitBytes) : undefined;
}

function read(path: string, limitBytes: number): string {
  try {
    if (statSync(path).size > limitBytes)
      throw new NodeopsError('too-large', `${path} is larger than ${limitBytes} bytes and left alone`);
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if (cause instanceof NodeopsError) throw cause;
    throw new NodeopsError('local-file', `cannot read ${path}: ${(cause as Error).message}`, { cause });
  }
}
