/** A small HTTP server under load: what both benches of the agent measure. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { resolve } from 'node:path';

/** The Node binaries that are compared, by major version. */
export const nodes = Object.entries({ 20: 'node20', 22: 'node22', 24: 'node', 26: 'node26' }).map(
  ([version, folder]) => ({ version, binary: resolve('node_modules', folder, 'bin/node') }),
);

const app = `
  require('node:http').createServer((request, response) => response.end('hello')).listen(0, '127.0.0.1', function () {
    process.stdout.write(this.address().port + '\\n');
  });
`;

export interface Server {
  readonly child: ChildProcess;
  readonly port: number;
  readonly firstLineMs: number;
}

/** `env` comes on top of nothing but PATH. */
export async function startServer(binary: string, env: Record<string, string>): Promise<Server> {
  const started = performance.now();
  const child = spawn(binary, ['-e', app], {
    env: { PATH: process.env.PATH!, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(child.stdout!, 'data');
  return { child, port: Number(String(line).trim()), firstLineMs: performance.now() - started };
}

export async function stopServer({ child }: Server): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** One slice of load. */
export interface Work {
  /** Requests a second. */
  readonly rate: number;
  /** 99th percentile, milliseconds. */
  readonly p99: number;
  /** CPU of the server, all its threads, microseconds a request: what others do on the machine changes it little. */
  readonly cpu: number;
}

/** Loads each in turn, slice by slice, so that a drifting machine drifts for all. A slice takes half a second; one for each does not count. */
export async function loadInTurn(servers: readonly Server[], slices: number): Promise<Work[][]> {
  const work: Work[][] = servers.map(() => []);
  for (let slice = -1; slice < slices; slice++) {
    const order = [...servers.entries()];
    // nobody is always the first
    for (const [index, server] of slice % 2 === 0 ? order : order.reverse()) {
      const done = await load(server, 0.5);
      if (slice >= 0) work[index]!.push(done);
    }
  }
  return work;
}

/** Requests over eight connections. */
async function load({ port, child }: Server, seconds: number): Promise<Work> {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const latencies: number[] = [];
  const cpuBefore = await cpuMicroseconds(child.pid!);
  const started = performance.now();
  const client = async () => {
    while (performance.now() < started + seconds * 1000) {
      const asked = performance.now();
      await new Promise<void>((done, failed) => {
        get({ port, host: '127.0.0.1', agent }, (response) => response.resume().on('end', done)).on('error', failed);
      });
      latencies.push(performance.now() - asked);
    }
  };
  await Promise.all(Array.from({ length: 8 }, client));
  const elapsed = (performance.now() - started) / 1000;
  const cpu = (await cpuMicroseconds(child.pid!)) - cpuBefore;
  agent.destroy();
  latencies.sort((a, b) => a - b);
  return {
    rate: latencies.length / elapsed,
    p99: latencies[Math.floor(latencies.length * 0.99)]!,
    cpu: cpu / latencies.length,
  };
}

/** What a process has used so far, all its threads, as the kernel's scheduler counts it. */
export async function cpuMicroseconds(pid: number): Promise<number> {
  let sum = 0;
  for (const thread of await readdir(`/proc/${pid}/task`)) {
    // a thread may have ended in between
    const text = await readFile(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').catch(() => '0');
    sum += Number(text.split(' ')[0]) / 1000;
  }
  return sum;
}
