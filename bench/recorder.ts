/** What the flight recorder costs on top of the idle agent: CPU a request, memory, and CPU while nothing happens. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { median, pssKib, table } from './measure.ts';
import { cpuMicroseconds, loadInTurn, nodes, startServer, stopServer, type Work } from './server.ts';

const slices = 4;
const idleSeconds = 5;

/** On and off side by side, loaded in turn. */
export async function benchRecorder(rounds: number): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'nodeops-bench-'));
  const rows: string[][] = [];
  for (const { version, binary } of nodes) {
    const work = { on: [] as Work[], off: [] as Work[] };
    const pss: number[] = [];
    const idle = { on: [] as number[], off: [] as number[] };
    for (let round = 0; round < rounds; round++) {
      const start = (recorder: 'on' | 'off') =>
        startServer(binary, {
          HOME: directory,
          NODE_OPTIONS: `--require=${resolve('dist/agent/preload.cjs')}`,
          NODEOPS_PORT: '0',
          NODEOPS_CONFIG_DIR: directory,
          NODEOPS_RECORDER: recorder,
        });
      const [on, off] = [await start('on'), await start('off')];
      const [busy, quiet] = await loadInTurn([on, off], slices);
      work.on.push(...busy!);
      work.off.push(...quiet!);
      const before = { on: await cpuMicroseconds(on.child.pid!), off: await cpuMicroseconds(off.child.pid!) };
      await new Promise((done) => setTimeout(done, idleSeconds * 1000));
      for (const [mode, { child }] of [['on', on] as const, ['off', off] as const])
        idle[mode].push(((await cpuMicroseconds(child.pid!)) - before[mode]) / idleSeconds / 1e4);
      pss.push((await pssKib(on.child.pid!)) - (await pssKib(off.child.pid!)));
      await stopServer(on);
      await stopServer(off);
    }
    const ratio = (of: keyof Work) => median(work.on.map((one, index) => one[of] / work.off[index]![of]));
    rows.push([
      version,
      ratio('cpu').toFixed(3),
      ratio('p99').toFixed(2),
      `${(median(pss) / 1024).toFixed(1)} MiB`,
      `${median(idle.on).toFixed(2)} % (off: ${median(idle.off).toFixed(2)} %)`,
    ]);
  }
  await rm(directory, { recursive: true, force: true });
  return table(['Node', 'CPU a request, ratio', 'p99 ratio', 'PSS on top', 'of a core, idle'], rows);
}
