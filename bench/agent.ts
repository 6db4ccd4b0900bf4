/** What the idle agent costs the app: time to its first line, memory, CPU a request and tail latency, on each Node. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { freePort } from '../test/bed/free-port.ts';
import { median, pssKib, table } from './measure.ts';
import { loadInTurn, nodes, startServer, stopServer, type Work } from './server.ts';

const slices = 4;

async function compare(version: string, binary: string, rounds: number): Promise<string[]> {
  const directory = await mkdtemp(join(tmpdir(), 'nodeops-bench-'));
  const first: number[] = [];
  const pss: number[] = [];
  const further: number[] = [];
  const without: Work[] = [];
  const withAgent: Work[] = [];
  /** A second one without, to tell what is noise. */
  const control: Work[] = [];
  for (let round = 0; round < rounds; round++) {
    const env = {
      HOME: directory,
      NODE_OPTIONS: `--require=${resolve('dist/agent/preload.cjs')}`,
      NODEOPS_PORT: String(await freePort()),
      NODEOPS_CONFIG_DIR: directory,
    };
    const bare = await startServer(binary, { HOME: directory });
    const agent = await startServer(binary, env);
    await new Promise((done) => setTimeout(done, 500));
    const second = await startServer(binary, env);
    await new Promise((done) => setTimeout(done, 1000));
    first.push(agent.firstLineMs - bare.firstLineMs);
    const bareKib = await pssKib(bare.child.pid!);
    pss.push((await pssKib(agent.child.pid!)) - bareKib);
    further.push((await pssKib(second.child.pid!)) - bareKib);
    await stopServer(second);
    const twin = await startServer(binary, { HOME: directory });
    const [plain, looked, same] = await loadInTurn([bare, agent, twin], slices);
    without.push(...plain!);
    withAgent.push(...looked!);
    control.push(...same!);
    await stopServer(twin);
    await stopServer(bare);
    await stopServer(agent);
  }
  await rm(directory, { recursive: true, force: true });
  const ratioTo = (measured: readonly Work[], of: keyof Work) =>
    median(measured.map((work, index) => work[of] / without[index]![of]));
  const ratio = (of: keyof Work) => ratioTo(withAgent, of);
  return [
    version,
    `${median(first).toFixed(1)} ms`,
    `${(median(pss) / 1024).toFixed(1)} MiB`,
    `${(median(further) / 1024).toFixed(1)} MiB`,
    `${ratio('cpu').toFixed(3)} (${ratioTo(control, 'cpu').toFixed(3)})`,
    ratio('rate').toFixed(3),
    ratio('p99').toFixed(2),
  ];
}

export async function benchAgent(rounds: number): Promise<string> {
  const rows: string[][] = [];
  for (const { version, binary } of nodes) rows.push(await compare(version, binary, rounds));
  return table(
    [
      'Node',
      'first line later by',
      'PSS of the first process',
      'PSS of a further one',
      'CPU a request, ratio (of two without)',
      'throughput ratio',
      'p99 ratio',
    ],
    rows,
  );
}
