/** Source maps as files and comments hold them. */
import { fileURLToPath } from 'node:url';
import { FlattenMap, type TraceMap } from '@jridgewell/trace-mapping';
import { NodeopsError } from '../protocol/errors.ts';

/** Largest source map that is read; a map of 64 MiB takes about ten times that in memory. */
export const limitMapBytes = 64 * 1024 * 1024;

/**
 * Parses a source map, index maps too. `url` is where the map is, or its script: relative sources are resolved against it.
 * Throws NodeopsError `failed` for what is no map, `too-large` past the limit.
 */
export function parseSourceMap(text: string, url: string, limitBytes: number = limitMapBytes): TraceMap {
  if (text.length > limitBytes)
    throw new NodeopsError('too-large', `the source map ${shorten(url)} is larger than ${limitBytes} bytes`);
  try {
    // some servers put this line before JSON to keep it from being run as a script
    const json: unknown = JSON.parse(text.replace(/^\)\]\}'[^\n]*\n/, ''));
    const { version } = json as { version?: unknown };
    refuseFarSections(json, 0);
    if (version !== 3) throw new Error(`its version is ${String(version)}, not 3`);
    return new FlattenMap(json as ConstructorParameters<typeof FlattenMap>[0], url);
  } catch (cause) {
    throw new NodeopsError(
      'failed',
      `the source map ${shorten(url)} cannot be read: ${(cause as Error).message.split('\n', 1)[0]}`,
      {
        cause,
      },
    );
  }
}

/** Lines of a script that sections of an index map may begin at: a list is made of all the lines before. */
const limitLines = 1_000_000;

function refuseFarSections(map: unknown, before: number): void {
  const { sections } = map as { sections?: unknown };
  if (!Array.isArray(sections)) return;
  for (const section of sections as { offset?: { line?: unknown }; map?: unknown }[]) {
    const line = section.offset?.line;
    if (typeof line !== 'number' || !(line >= 0 && before + line <= limitLines))
      throw new Error(`a section begins at line ${String(line)}`);
    refuseFarSections(section.map, before + line);
  }
}

/** Occurrences looked at from the end: more are no comments, but a program that writes such comments. */
const limitComments = 16;

/** The URL in the last `//# sourceMappingURL=` comment of a script; undefined where there is none. In a string it is none. */
export function sourceMappingUrl(script: string): string | undefined {
  let before = script.length;
  for (let tried = 0; tried < limitComments && before > 0; tried++) {
    const at = Math.max(
      script.lastIndexOf('//# sourceMappingURL=', before - 1),
      script.lastIndexOf('//@ sourceMappingURL=', before - 1),
    );
    if (at < 0) return undefined;
    const newline = script.indexOf('\n', at);
    const line = script.slice(at + '//# sourceMappingURL='.length, newline < 0 ? undefined : newline).trimEnd();
    if (line !== '' && !/[\s'"`\\]/.test(line)) return line;
    before = at;
  }
  return undefined;
}

/** The path of a map relative to its script, or of a `file:` URL of this machine; undefined for any other URL or a damaged one. */
export function mapPathOf(comment: string): string | undefined {
  try {
    if (comment.startsWith('file:')) return fileURLToPath(comment);
    if (/^[a-z][\w+.-]*:/i.test(comment)) return undefined;
    return decodeURIComponent(comment.replace(/[?#].*$/, ''));
  } catch {
    return undefined;
  }
}

/** Sources as their authors call them: without what bundlers put before (`webpack://shop/./src/a.ts`, `webpack-internal:///(rsc)/./src/a.ts`). */
export function sourceName(url: string): string {
  return url
    .replace(/^webpack-internal:\/\/\/(?:\([\w-]+\)\/)?(?:\.\/)?/, '')
    .replace(/^webpack:\/\/[^/]*\/(?:\([\w-]+\)\/)?(?:\.\/)?/, '')
    .replace(/^turbopack:\/\/\/(?:\[project\]\/)?/, '');
}

const texts = new WeakMap<TraceMap, string>();

/** The script a map was found for, where it was at hand: names are looked up in it. */
export function generatedText(map: TraceMap): string | undefined {
  return texts.get(map);
}

export function rememberText(map: TraceMap, script: string): void {
  texts.set(map, script);
}

/** The text inside a `data:` URL, base64 or percent-encoded; undefined for any other URL. */
export function decodeDataUrl(url: string): string | undefined {
  const match = /^data:[^,]*?(;base64)?,/.exec(url);
  if (!match) return undefined;
  const body = url.slice(match[0].length);
  try {
    return match[1] ? Buffer.from(body, 'base64').toString('utf8') : decodeURIComponent(body);
  } catch (cause) {
    throw new NodeopsError('failed', 'an inline source map is damaged', { cause });
  }
}

function shorten(url: string): string {
  return url.length > 200 ? `${url.slice(0, 200)}…` : url;
}
