/** What tracking creations costs an app: time of each creation and each promise, and memory with all rings full. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleAgent } from '../scripts/agent-bundle.ts';
import { median, table } from './measure.ts';

const program = `
const fs = require('node:fs');
const { performance } = require('node:perf_hooks');
const per = (count, ms) => (ms * 1e6) / count;
(async () => {
  const results = {};
  const timers = () => { for (let i = 0; i < 50_000; i++) clearTimeout(setTimeout(() => {}, 1000)); };
  const promises = async () => { for (let i = 0; i < 300_000; i++) await null; };
  const stats = async () => { for (let i = 0; i < 10_000; i++) await new Promise((done) => fs.stat('/', done)); };
  for (const [name, count, run] of [['timer', 50_000, timers], ['await', 300_000, promises], ['fs.stat', 10_000, stats]]) {
    await run();
    const from = performance.now();
    await run();
    results[name] = per(count, performance.now() - from);
  }
  gc();
  results.heap = process.memoryUsage().heapUsed;
  console.log(JSON.stringify(results));
  process.exit();
})();
`;

export async function benchTracking(runs: number): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), 'nodeops-bench-'));
  try {
    await bundleAgent(dir);
    writeFileSync(join(dir, 'app.cjs'), program);
    const rows: string[][] = [];
    for (const [version, node] of Object.entries({ 20: 'node20', 22: 'node22', 24: 'node', 26: 'node26' })) {
      const measured = { off: [] as Record<string, number>[], on: [] as Record<string, number>[] };
      for (let round = 0; round < runs; round++)
        for (const mode of ['off', 'on'] as const) {
          const output = execFileSync(
            join('node_modules', node, 'bin', 'node'),
            ['--expose-gc', '--require', join(dir, 'preload.cjs'), join(dir, 'app.cjs')],
            {
              env: {
                ...process.env,
                NODEOPS_PORT: '0',
                NODEOPS_CONFIG_DIR: dir,
                ...(mode === 'on' ? { NODEOPS_TRACK: 'async' } : {}),
              },
            },
          );
          measured[mode].push(JSON.parse(String(output)));
        }
      const of = (mode: 'off' | 'on', name: string) => median(measured[mode].map((result) => result[name]!));
      rows.push([
        version,
        ...['timer', 'await', 'fs.stat'].map(
          (name) => `${(of('off', name) / 1000).toFixed(2)} → ${(of('on', name) / 1000).toFixed(2)} µs`,
        ),
        `${((of('on', 'heap') - of('off', 'heap')) / 1024 ** 2).toFixed(2)} MiB`,
      ]);
    }
    return table(['Node', 'timer', 'await', 'fs.stat', 'heap, rings of both full'], rows);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
