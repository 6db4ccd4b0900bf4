/**
 * What `view FILE.heapsnapshot` costs, beside memlab on the same file. memlab is not among the dependencies: install it where you like, and name that
 * directory in NODEOPS_BENCH_MEMLAB.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Candidate, interleave, median, table } from './measure.ts';

/** Sessions in a Map, each of some ten objects with a closure and strings: 110 MB, 500 MB and 1 GiB of file. */
const sessions = [210_000, 965_000, 2_060_000];
const making = `
class Session {
  constructor(i) { this.id = i; this.user = { name: 'user' + (i % 5000), tags: [i, i + 1] }; this.close = () => i; }
}
const all = (globalThis.sessions = new Map());
for (let i = 0; i < Number(process.argv[1]); i++) all.set(i, new Session(i));
require('node:v8').writeHeapSnapshot(process.argv[2]);`;
const memlab = `
const { createRequire } = require('node:module');
const { getFullHeapFromFile } = createRequire(process.argv[1] + '/')('@memlab/heap-analysis');
getFullHeapFromFile(process.argv[2]).then((heap) => process.exit(heap.nodes.length > 0 ? 0 : 1));`;

export async function benchHeap(rounds: number): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'nodeops-bench-'));
  const other = process.env.NODEOPS_BENCH_MEMLAB;
  const large = '--max-old-space-size=16384';
  const rows: string[][] = [];
  for (const count of sessions) {
    const file = join(directory, `${count}.heapsnapshot`);
    await once(spawn(process.execPath, [large, '-e', making, String(count), file], { stdio: 'ignore' }), 'close');
    const { size } = await stat(file);
    const candidates: Candidate[] = [
      { name: 'view', argv: [process.execPath, resolve('dist/plugin.cjs'), 'view', file] },
      ...(other ? [{ name: 'memlab', argv: [process.execPath, large, '-e', memlab, resolve(other), file] }] : []),
    ];
    const [ours, theirs] = await interleave(candidates, rounds);
    const seconds = (walls: readonly number[]) => (median(walls) / 1000).toFixed(1);
    const bytes = (peaks: readonly number[]) => median(peaks) * 1024;
    rows.push([
      `${(size / 1e6).toFixed(0)} MB`,
      `${seconds(ours!.wall)} s`,
      `${(bytes(ours!.peak) / size).toFixed(2)}`,
      theirs ? `${seconds(theirs.wall)} s` : 'not run',
      theirs ? (bytes(theirs.peak) / size).toFixed(2) : 'not run',
      theirs ? (median(ours!.wall) / median(theirs.wall)).toFixed(2) : 'not run',
    ]);
    await rm(file);
  }
  await rm(directory, { recursive: true, force: true });
  return table(['file', '`view`', 'peak memory / file', 'memlab', 'its peak / file', 'time, ratio'], rows);
}
