/** `--source-map-dir`: finds the maps of a pod's scripts in a directory on this machine, whose paths need not be the pod's. */
import { readFileSync, statSync } from 'node:fs';
import { opendir } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TraceMap } from '@jridgewell/trace-mapping';
import { NodeopsError } from '../protocol/errors.ts';
import { decodeDataUrl, limitMapBytes, parseSourceMap, sourceMappingUrl } from './source-map-text.ts';
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
 * most trailing path parts with the URL is taken; ties are no match, since a wrong map is worse than none. A script's
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

function load(url: string, files: ReadonlyMap<string, string[]>, options: SourceMapDirOptions): TraceMap | undefined {
  if (url.startsWith('node:')) return undefined;
  const path = url.replace(/^[a-z][\w+.-]*:\/\/[^/]*/i, '').replace(/[?#].*$/, '');
  const named = files.get(basename(path)) ?? [];
  const limitBytes = options.limitBytes ?? limitMapBytes;
  try {
    const script = closest(path, new Set(named.map((file) => file.replace(/\.map$/, ''))));
    if (script === undefined) return undefined;
    const comment = named.includes(script) ? sourceMappingUrl(read(script, limitBytes)) : undefined;
    const text =
      (comment && (decodeDataUrl(comment) ?? tryRead(mapPath(script, comment), limitBytes))) ??
      tryRead(`${script}.map`, limitBytes);
    return text === undefined ? undefined : parseSourceMap(text, url, limitBytes);
  } catch (error) {
    if (!(error instanceof NodeopsError)) throw error;
    options.onProblem?.(error);
    return undefined;
  }
}

/** The one script that shares most trailing parts with the path. */
function closest(path: string, scripts: Iterable<string>): string | undefined {
  const wanted = path.split('/').reverse();
  let best: string | undefined;
  let most = 0;
  let tied = false;
  for (const script of scripts) {
    const parts = script.split(sep).reverse();
    let shared = 0;
    while (shared < parts.length && parts[shared] === wanted[shared]) shared++;
    if (shared === most) tied = true;
    if (shared > most) [best, most, tied] = [script, shared, false];
  }
  return tied ? undefined : best;
}

function mapPath(script: string, comment: string): string | undefined {
  if (comment.startsWith('file:')) return fileURLToPath(comment);
  if (/^[a-z][\w+.-]*:/i.test(comment)) return undefined;
  return resolve(dirname(script), decodeURIComponent(comment.replace(/[?#].*$/, '')));
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
