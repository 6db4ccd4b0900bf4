/** What one side of a comparison is: a file, or processes to capture from. */
import { stat } from 'node:fs/promises';

export type Side =
  | { readonly kind: 'file'; readonly said: string; readonly path: string }
  | { readonly kind: 'processes'; readonly said: string; readonly args: readonly string[]; readonly selector?: string };

/** A file where there is one of that name; `KEY=VALUE` and its like a label selector; else a target. */
export async function parseSide(text: string): Promise<Side> {
  const file = await stat(text).then(
    (found) => found.isFile(),
    () => false,
  );
  if (file) return { kind: 'file', said: text, path: text };
  if (/[=!,]|\s(?:not)?in\s*\(/.test(text)) return { kind: 'processes', said: text, args: [], selector: text };
  // what looks like a profile and is not there is not a pod either
  if (/\.(?:pb|gz|pprof|cpuprofile|heapprofile|heapsnapshot)$/.test(text))
    return { kind: 'file', said: text, path: text };
  return { kind: 'processes', said: text, args: [text] };
}
