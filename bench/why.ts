/** What `why` costs: how long its answer takes, and what the process serves meanwhile, beside another one that is not looked at. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { median, table } from './measure.ts';
import { loadInTurn, nodes, startServer, stopServer } from './server.ts';

/** Slices of load, each server in turn: with the one that does not count they take as long as the look. */
const slices = 9;

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

export async function benchWhy(rounds: number): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'nodeops-bench-'));
  const rows: string[][] = [];
  for (const { version, binary } of nodes) {
    const seconds: number[] = [];
    const ratios = { requests: [] as number[], cpu: [] as number[], p99: [] as number[] };
    for (let round = 0; round < rounds; round++) {
      const environment = {
        HOME: directory,
        NODE_OPTIONS: `--require=${resolve('dist/agent/preload.cjs')}`,
        NODEOPS_PORT: '0',
        NODEOPS_CONFIG_DIR: directory,
      };
      const [looked, left] = [await startServer(binary, environment), await startServer(binary, environment)];
      await loadInTurn([looked, left], 1);
      const began = performance.now();
      const args = [resolve('dist/plugin.cjs'), 'why', String(looked.child.pid), '-o', 'json'];
      const why = spawn(process.execPath, args, {
        stdio: 'ignore',
        env: { ...process.env, NODEOPS_CONFIG_DIR: directory },
      });
      const ended = once(why, 'close').then(() => seconds.push((performance.now() - began) / 1000));
      const [on, off] = await loadInTurn([looked, left], slices);
      await ended;
      // the whole look: what it costs at its begin counts as much as the rest
      ratios.requests.push(sum(on!.map(({ rate }) => rate)) / sum(off!.map(({ rate }) => rate)));
      ratios.cpu.push(median(on!.map(({ cpu }, index) => cpu / off![index]!.cpu)));
      ratios.p99.push(median(on!.map(({ p99 }, index) => p99 / off![index]!.p99)));
      await stopServer(looked);
      await stopServer(left);
    }
    rows.push([
      version,
      `${median(seconds).toFixed(1)} s`,
      `${((1 - median(ratios.requests)) * 100).toFixed(1)} %`,
      median(ratios.cpu).toFixed(2),
      median(ratios.p99).toFixed(2),
    ]);
  }
  await rm(directory, { recursive: true, force: true });
  return table(
    ['Node', 'until the answer', 'throughput of a busy server lost meanwhile', 'CPU a request, ratio', 'p99 ratio'],
    rows,
  );
}
