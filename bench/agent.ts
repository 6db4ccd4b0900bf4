/** What the idle agent costs the app: time to its first line, memory, throughput and tail latency, on each Node. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { median, pssKib, table } from './measure.ts';

const nodes = {
  20: 'node_modules/node20',
  22: 'node_modules/node22',
  24: 'node_modules/node',
  26: 'node_modules/node26',
} as const;
const app = `
  require('node:http').createServer((request, response) => response.end('hello')).listen(0, '127.0.0.1', function () {
    process.stdout.write(this.address().port + '\\n');
  });
`;

interface App {
  readonly child: ChildProcess;
  readonly port: number;
  readonly firstLineMs: number;
}

async function start(binary: string, agentPort: number | null, configDir: string): Promise<App> {
  const env: Record<string, string> = { PATH: process.env.PATH!, HOME: configDir };
  if (agentPort !== null)
    Object.assign(env, {
      NODE_OPTIONS: `--require=${resolve('dist/agent/preload.cjs')}`,
      NODEOPS_PORT: String(agentPort),
      NODEOPS_CONFIG_DIR: configDir,
    });
  const started = performance.now();
  const child = spawn(binary, ['-e', app], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(child.stdout!, 'data');
  return { child, port: Number(String(line).trim()), firstLineMs: performance.now() - started };
}

async function stop({ child }: App): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** Requests for `seconds` over eight connections; requests a second and the 99th percentile in milliseconds. */
async function load(port: number, seconds: number): Promise<{ rate: number; p99: number }> {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const latencies: number[] = [];
  const end = performance.now() + seconds * 1000;
  const client = async () => {
    while (performance.now() < end) {
      const started = performance.now();
      await new Promise<void>((done, failed) => {
        get({ port, host: '127.0.0.1', agent }, (response) => response.resume().on('end', done)).on('error', failed);
      });
      latencies.push(performance.now() - started);
    }
  };
  await Promise.all(Array.from({ length: 8 }, client));
  agent.destroy();
  latencies.sort((a, b) => a - b);
  return { rate: latencies.length / seconds, p99: latencies[Math.floor(latencies.length * 0.99)]! };
}

async function compare(version: string, binary: string, rounds: number): Promise<string[]> {
  const configDir = await mkdtemp(join(tmpdir(), 'nodeops-bench-'));
  const samples = {
    first: { without: [] as number[], with: [] as number[] },
    pss: { without: [] as number[], with: [] as number[], further: [] as number[] },
  };
  const work = {
    rate: { without: [] as number[], with: [] as number[] },
    p99: { without: [] as number[], with: [] as number[] },
  };
  for (let round = 0; round < rounds; round++) {
    const port = 20_000 + Math.floor(Math.random() * 20_000);
    const bare = await start(binary, null, configDir);
    const agent = await start(binary, port, configDir);
    await new Promise((done) => setTimeout(done, 500));
    const further = await start(binary, port, configDir);
    await new Promise((done) => setTimeout(done, 1000));
    samples.first.without.push(bare.firstLineMs);
    samples.first.with.push(agent.firstLineMs);
    samples.pss.without.push(await pssKib(bare.child.pid!));
    samples.pss.with.push(await pssKib(agent.child.pid!));
    samples.pss.further.push(await pssKib(further.child.pid!));
    await stop(further);
    for (const [key, target] of [
      ['without', bare],
      ['with', agent],
    ] as const) {
      const { rate, p99 } = await load(target.port, 1.5);
      work.rate[key].push(rate);
      work.p99[key].push(p99);
    }
    await stop(bare);
    await stop(agent);
  }
  await rm(configDir, { recursive: true, force: true });
  const differences = (a: number[], b: number[]) => median(a.map((value, index) => value - b[index]!));
  const ratios = (a: number[], b: number[]) => median(a.map((value, index) => value / b[index]!));
  return [
    version,
    `${differences(samples.first.with, samples.first.without).toFixed(1)} ms`,
    `${(differences(samples.pss.with, samples.pss.without) / 1024).toFixed(1)} MiB`,
    `${(differences(samples.pss.further, samples.pss.without) / 1024).toFixed(1)} MiB`,
    ratios(work.rate.with, work.rate.without).toFixed(3),
    ratios(work.p99.with, work.p99.without).toFixed(2),
  ];
}

export async function benchAgent(rounds: number): Promise<string> {
  const rows: string[][] = [];
  for (const [version, folder] of Object.entries(nodes))
    rows.push(await compare(version, join(folder, 'bin/node'), rounds));
  return table(
    [
      'Node',
      'first line later by',
      'PSS of the first process',
      'PSS of a further one',
      'throughput ratio',
      'p99 ratio',
    ],
    rows,
  );
}
