/** What a file is, by its content: names may be anything, and tools put a mark, blank lines or gzip around the same thing. */
import { constants, gunzipSync } from 'node:zlib';
import { isGzip } from './gunzip.ts';

export type Sniffed =
  | 'pprof'
  | 'cpuprofile'
  | 'heapprofile'
  | 'heapsnapshot'
  | 'trace'
  | 'report'
  /** JSON without anything in its beginning that tells. */
  | 'json'
  | 'text';

/** Bytes of the beginning that are looked at; of a gzipped file as many compressed ones. */
export const sniffBytes = 4_096;

/** What a file is that begins with these bytes. */
export function sniff(bytes: Uint8Array): Sniffed {
  let head = bytes.subarray(0, sniffBytes);
  if (isGzip(head)) {
    try {
      head = gunzipSync(head, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, sniffBytes);
    } catch {
      return 'pprof';
    }
  }
  const text = withoutMark(new TextDecoder('latin1').decode(head)).trimStart();
  if (text.startsWith('[')) return /^\[\s*(?:\]|\{)/.test(text) ? 'trace' : 'json';
  if (text.startsWith('{')) return ofDocument(text);
  // a message of protobuf has bytes that no text has
  return [...head].some((byte) => byte < 9 || (byte > 13 && byte < 32)) ? 'pprof' : 'text';
}

/** Without the byte order mark that some editors and Windows tools write, here as Latin-1. */
function withoutMark(text: string): string {
  return text.replace(/^ï»¿/, '');
}

function ofDocument(text: string): Sniffed {
  const keys = topKeys(text);
  const has = (...names: string[]) => names.some((name) => keys.has(name));
  if (has('snapshot')) return 'heapsnapshot';
  if (has('traceEvents', 'displayTimeUnit') || (has('metadata') && !has('nodes', 'head'))) return 'trace';
  // ours begins with nodeops where the main thread was stuck and Node could write none
  if (/"reportVersion"\s*:/.test(text) || (has('nodeops') && !has('nodes', 'samples', 'startTime'))) return 'report';
  // a tree of V8's of before 2017 has its frame's fields in the node itself
  if (has('head'))
    return /"callFrame"\s*:/.test(text) || !/"functionName"\s*:/.test(text) ? 'heapprofile' : 'cpuprofile';
  if (has('samples') && /^\{\s*"samples"\s*:\s*\[\s*\{/.test(text)) return 'heapprofile';
  if (has('nodes', 'samples', 'timeDeltas', 'startTime', 'endTime', 'threads')) return 'cpuprofile';
  return 'json';
}

/** Names of the document's own fields as far as the text goes. */
function topKeys(text: string): Set<string> {
  const keys = new Set<string>();
  let depth = 0;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"?(?:\s*:)?|[[\]{}]/g))
    if (token === '{' || token === '[') depth++;
    else if (token === '}' || token === ']') depth--;
    else if (depth === 1 && token.endsWith(':')) keys.add(token.slice(1, token.lastIndexOf('"')));
  return keys;
}
