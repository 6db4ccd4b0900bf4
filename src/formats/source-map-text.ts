/** Source maps as files and comments hold them. */
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
    if (version !== 3) throw new Error(`its version is ${String(version)}, not 3`);
    return new FlattenMap(json as ConstructorParameters<typeof FlattenMap>[0], url);
  } catch (cause) {
    throw new NodeopsError('failed', `the source map ${shorten(url)} cannot be read: ${(cause as Error).message}`, {
      cause,
    });
  }
}

/** The URL in the last `//# sourceMappingURL=` comment of a script; undefined where there is none. */
export function sourceMappingUrl(script: string): string | undefined {
  const at = Math.max(script.lastIndexOf('//# sourceMappingURL='), script.lastIndexOf('//@ sourceMappingURL='));
  if (at < 0) return undefined;
  return /^\/\/[#@] sourceMappingURL=([^\s'"]+)\s*$/m.exec(script.slice(at))?.[1];
}

/** The text inside a `data:` URL, base64 or percent-encoded; undefined for any other URL. */
export function decodeDataUrl(url: string): string | undefined {
  const match = /^data:[^,]*?(;base64)?,/.exec(url);
  if (!match) return undefined;
  const body = url.slice(match[0].length);
  return match[1] ? Buffer.from(body, 'base64').toString('utf8') : decodeURIComponent(body);
}

function shorten(url: string): string {
  return url.length > 200 ? `${url.slice(0, 200)}…` : url;
}
