/** What an idle process costs without the agent, on standby and with the watcher: CPU, wake-ups, memory, its first line, its first answer. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../test/bed/free-port.ts';
import { median, pssKib, table } from './measure.ts';

const roles = ['bare', 'standby', 'watch'] as const;
type Role = (typeof roles)[number];
const nodes = { 20: 'node20', 22: 'node22', 24: 'node', 26: 'node26' };
const settleMs = 10_000;
const lookMs = 20_000;

interface Started {
  readonly child: ChildProcess;
  readonly port: number;
  readonly firstLineMs: number;
}

async function start(node: string, role: Role, dir: string): Promise<Started> {
  const port = await freePort();
  const env = {
    HOME: dir,
    NODEOPS_PORT: String(port),
    NODEOPS_CONFIG_DIR: join(dir, String(port)),
    NODEOPS_MODE: role,
  };
  const flags = role === 'bare' ? [] : ['--require', resolve('dist/agent/preload.cjs')];
  const from = performance.now();
  const child = spawn(node, [...flags, join(dir, 'app.cjs')], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((up) => child.stdout!.once('data', up));
  return { child, port, firstLineMs: performance.now() - from };
}

async function stop({ child }: Started): Promise<void> {
  const ended = new Promise((done) => child.once('exit', done));
  child.kill('SIGKILL');
  await ended;
}

/** CPU in nanoseconds and voluntary switches of all threads. */
function spent({ child }: Started): { cpu: number; wakeups: number } {
  let [cpu, wakeups] = [0, 0];
  for (const task of readdirSync(`/proc/${child.pid}/task`)) {
    const of = `/proc/${child.pid}/task/${task}`;
    cpu += Number(readFileSync(`${of}/schedstat`, 'utf8').split(' ')[0]);
    wakeups += Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(readFileSync(`${of}/status`, 'utf8'))![1]);
  }
  return { cpu, wakeups };
}

function answerMs({ port }: Started): Promise<number> {
  const from = performance.now();
  return new Promise((done, fail) => {
    const options = { host: '127.0.0.1', port, path: '/v1/stats?window=0', headers: { 'x-nodeops': '1' } };
    get(options, (reply) => reply.resume().on('end', () => done(performance.now() - from))).on('error', fail);
  });
}

/** `rounds`: for the first line and the first answer. */
export async function benchIdle(rounds: number): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), 'nodeops-bench-'));
  try {
    writeFileSync(
      join(dir, 'app.cjs'),
      `require('node:http').createServer().listen(0, '127.0.0.1', () => console.log('up'))`,
    );
    const rows: string[][] = [];
    for (const [version, name] of Object.entries(nodes)) {
      const node = resolve('node_modules', name, 'bin/node');
      const [lines, answers] = [of<number[]>(() => []), of<number[]>(() => [])];
      for (let round = -1; round < rounds; round++)
        for (const role of roles) {
          const started = await start(node, role, dir);
          if (round >= 0) lines[role].push(started.firstLineMs);
          await sleep(1_000);
          if (role !== 'bare') {
            const took = await answerMs(started);
            if (round >= 0) answers[role].push(took);
          }
          await stop(started);
        }
      const idle = [];
      for (const role of roles) idle.push([role, await start(node, role, dir)] as const);
      await sleep(settleMs);
      const before = idle.map(([, started]) => spent(started));
      await sleep(lookMs);
      const bareKib = await pssKib(idle[0]![1].child.pid!);
      for (const [index, [role, started]] of idle.entries()) {
        const now = spent(started);
        rows.push([
          version,
          role,
          `${(((now.cpu - before[index]!.cpu) / 1e6 / lookMs) * 100).toFixed(3)} %`,
          ((now.wakeups - before[index]!.wakeups) / (lookMs / 1000)).toFixed(1),
          role === 'bare' ? '' : `${(((await pssKib(started.child.pid!)) - bareKib) / 1024).toFixed(1)} MiB`,
          role === 'bare' ? '' : `${(median(lines[role]) - median(lines.bare)).toFixed(1)} ms`,
          role === 'bare' ? '' : `${median(answers[role]).toFixed(0)} ms`,
        ]);
      }
      for (const [, started] of idle) await stop(started);
    }
    return table(
      ['Node', 'role', 'of a core', 'wake-ups a second', 'PSS on top', 'first line later', 'first answer'],
      rows,
    );
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function of<T>(make: () => T): Record<Role, T> {
  return { bare: make(), standby: make(), watch: make() };
}
