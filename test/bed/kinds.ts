/** What a test needs to run, told from what it imports: nobody has to keep a list. */
import { readFileSync } from 'node:fs';
import { Graph } from './graph.ts';

export type Kind = 'pure' | 'process' | 'e2e';

/** Modules that start processes and threads, listen and connect. */
const outward =
  /from '(?:node:(?:child_process|cluster|dgram|http|http2|https|inspector|inspector\/promises|net|tls|worker_threads)|ws|esbuild|playwright-core)'/;
/** Changes what all tests of a thread share. */
const changesProcess =
  /process\.(chdir|umask)\(|process\.env\.\w+ *=|process\.env\[.*\] *=|vi\.(mock|useFakeTimers|stub)/;

/** `pure`: computes and compares. `process`: has processes or sockets of its own. `e2e`: works on a cluster. */
export function kindOf(test: string, graph: Graph): Kind {
  if (test.startsWith('test/e2e/')) return 'e2e';
  // what it imports of src is what it is about; what it imports of test is how it goes about it
  const own = [...graph.reached(test, ({ to }) => /^(test|scripts)\//.test(to))];
  const text = own.map((file) => readFileSync(file, 'utf8')).join('\n');
  return outward.test(text) || changesProcess.test(text) ? 'process' : 'pure';
}

export function testFiles(files: readonly string[], graph = new Graph()): Record<Kind, string[]> {
  const found: Record<Kind, string[]> = { pure: [], process: [], e2e: [] };
  for (const file of files) if (file.endsWith('.test.ts')) found[kindOf(file, graph)].push(file);
  return found;
}
