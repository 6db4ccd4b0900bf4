/** What the flight recorder costs on top of the idle agent: throughput, tail latency, memory. Run by itself: `node bench/recorder.ts [ROUNDS]`. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { bundleAgent } from '../scripts/agent-bundle.ts';
import { median, pssKib, table } from './measure.ts';

const app = `
  require('node:http').createServer((request, response) => response.end('hello')).listen(0, '127.0.0.1', function () {
    process.stdout.write(this.address().port + '\\n');
  });
`;
const loadSeconds = 3;

interface App {
  readonly child: ChildProcess;
  readonly port: number;
}

async function start(binary: string, preload: string, recorder: 'on' | 'off', configDir: string): Promise<App> {
  const env = {
    PATH: process.env.PATH!,
    HOME: configDir,
    NODE_OPTIONS: `--require=${preload}`,
    NODEOPS_PORT: '0',
    NODEOPS_CONFIG_DIR: configDir,
    NODEOPS_RECORDER: recorder,
  };
  const child = spawn(binary, ['-e', app], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(child.stdout!, 'data');
  return { child, port: Number(String(line).trim()) };
}

/** Requests a second over eight connections, and the 99th percentile in milliseconds. */
async function load(port: number): Promise<{ rate: number; p99: number }> {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const latencies: number[] = [];
  const end = performance.now() + loadSeconds * 1000;
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
  return { rate: latencies.length / loadSeconds, p99: latencies[Math.floor(latencies.length * 0.99)]! };
}

/** On and off in turn, each first in every other round. */
export async function benchRecorder(rounds: number): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'nodeops-bench-'));
  await bundleAgent(directory);
  const rows: string[][] = [];
  const nodes = { 20: 'node20', 22: 'node22', 24: 'node', 26: 'node26' };
  for (const [version, folder] of Object.entries(nodes)) {
    const binary = resolve('node_modules', folder, 'bin/node');
    const seen = {
      on: { rate: [], p99: [], pss: [], idle: [] },
      off: { rate: [], p99: [], pss: [], idle: [] },
    } as Record<'on' | 'off', Record<'rate' | 'p99' | 'pss' | 'idle', number[]>>;
    for (let round = 0; round < rounds; round++) {
      for (const mode of round % 2 === 0 ? (['on', 'off'] as const) : (['off', 'on'] as const)) {
        const { child, port } = await start(binary, join(directory, 'preload.cjs'), mode, directory);
        await load(port);
        const { rate, p99 } = await load(port);
        const before = await cpuTicks(child.pid!);
        await new Promise((done) => setTimeout(done, 5_000));
        seen[mode].idle.push(((await cpuTicks(child.pid!)) - before) / 5);
        seen[mode].rate.push(rate);
        seen[mode].p99.push(p99);
        seen[mode].pss.push(await pssKib(child.pid!));
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
    }
    const { on, off } = seen;
    rows.push([
      version,
      (median(on.rate) / median(off.rate)).toFixed(3),
      (median(on.p99) / median(off.p99)).toFixed(2),
      `${((median(on.pss) - median(off.pss)) / 1024).toFixed(1)} MiB`,
      `${median(on.idle).toFixed(2)} % (off: ${median(off.idle).toFixed(2)} %)`,
    ]);
  }
  await rm(directory, { recursive: true, force: true });
  return table(['Node', 'throughput ratio', 'p99 ratio', 'PSS on top', 'CPU of an idle process'], rows);
}

/** Hundredths of a second, which over a second are percent of a core. */
async function cpuTicks(pid: number): Promise<number> {
  const { readFile } = await import('node:fs/promises');
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

if (import.meta.main ?? process.argv[1]?.endsWith('recorder.ts'))
  process.stdout.write(await benchRecorder(Number(process.argv[2] ?? 5)));
